/** The clients of ecs20140526.js and identities.js. The README shows what is between the marks. */
'use strict';

// README: begin
const { default: Ecs } = require('@alicloud/ecs20140526');
const { $OpenApiUtil: { Config } } = require('@alicloud/openapi-core');

const newConfig = (endpoint, accessKeyId, accessKeySecret, { securityToken, signatureAlgorithm } = {}) =>
  new Config({
    accessKeyId,
    accessKeySecret,
    securityToken, // undefined for a permanent key
    endpoint, // without a scheme: that is `protocol`
    protocol: 'http',
    signatureAlgorithm, // undefined for ACS3, 'v2' for V1 signatures
  });

const newClient = (...settings) => new Ecs(newConfig(...settings));
// README: end

module.exports = { newClient, newConfig };
