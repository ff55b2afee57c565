// The reference implementations of GraphQL over HTTP, over server-sent events and over web sockets, against a running server.
// node reference_clients.mjs <address> <launch id>: prints one JSON object with what each of them saw.
import { auditServer } from 'graphql-http';
import { createClient as overEvents } from 'graphql-sse';
import { createClient as overSocket } from 'graphql-ws';
import WebSocket from 'ws';

const [base, id] = process.argv.slice(2);
const FOLLOW = 'subscription($id:ID!,$after:ID){launch(id:$id,after:$after){state events{id}}}';

async function followed(client, after) {
  const seen = [];
  for await (const { data, errors } of client.iterate({ query: FOLLOW, variables: { id, after } })) {
    seen.push(errors ? errors[0].extensions.code : [data.launch.state, data.launch.events.at(-1).id]);
  }
  return seen;
}

const audits = await auditServer({ url: `${base}/graphql` });
const told = { audits: audits.map(({ id, name, status, reason }) => ({ id, name, status, reason })) };
const clients = {
  sse: overEvents({ url: `${base}/graphql` }),
  ws: overSocket({ url: `${base.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket }),
};
for (const [name, client] of Object.entries(clients)) {
  const whole = await followed(client);
  told[name] = { whole, after: await followed(client, whole[2][1]), end: await followed(client, whole.at(-1)[1]) };
  await client.dispose();
}
console.log(JSON.stringify(told));
