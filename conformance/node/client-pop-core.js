/** The client of pop-core.js. The README shows what is between the marks. */
'use strict';

// README: begin
const { RPCClient } = require('@alicloud/pop-core');

function newClient(endpoint, accessKeyId, accessKeySecret) {
  return new RPCClient({
    accessKeyId,
    accessKeySecret,
    endpoint: `http://${endpoint}`, // this SDK wants the scheme
    apiVersion: '2014-05-26',
  });
}
// README: end

module.exports = { newClient };
