/** What ecs20140526.js and identities.js share: the signature of their argument, refusals as this SDK reports them. */
'use strict';

const { ClientError } = require('@alicloud/openapi-core');

const { chosen, equal, isRequestId, rejection } = require('./checks.js');

const MODES = { acs3: undefined, v1: 'v2' };
const mode = chosen(MODES);
const signatureAlgorithm = MODES[mode];

const errorOf = (promise) => rejection(promise, (error) => error instanceof ClientError);

function isRefusal(error, status, code, message) {
  equal('status', error.statusCode, status);
  equal('code', error.code, code);
  isRequestId('request id', error.requestId);
  // The SDK puts code and status before the message and the request id after it.
  equal('message', error.message,
    `${code}: code: ${status}, ${message} request id: ${error.requestId}`);
}

module.exports = { mode, signatureAlgorithm, errorOf, isRefusal };
