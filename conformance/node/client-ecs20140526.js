/** The client of ecs20140526.js. The README shows what is between the marks. */
'use strict';

// README: begin
const { default: Ecs } = require('@alicloud/ecs20140526');
const { $OpenApiUtil: { Config } } = require('@alicloud/openapi-core');

function newClient(endpoint, accessKeyId, accessKeySecret, signatureAlgorithm) {
  return new Ecs(new Config({
    accessKeyId,
    accessKeySecret,
    endpoint, // without a scheme: that is `protocol`
    protocol: 'http',
    signatureAlgorithm, // undefined for ACS3, 'v2' for V1 signatures
  }));
}
// README: end

module.exports = { newClient };
