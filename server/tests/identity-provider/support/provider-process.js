// The identity provider, as a process of its own. Its parent says how it is to be (one message), and then changes its people.

import { createServer as createPlainServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { readFileSync } from 'node:fs';

import Provider from 'oidc-provider';

/** People by their subject; each is the claims that their tokens carry. */
const people = new Map();
let keySetRequests = 0;

function configuration({ keys, algorithm }) {
  const client = (id) => ({
    client_id: id,
    redirect_uris: ['https://portal.example/callback'],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: algorithm,
  });
  return {
    jwks: { keys },
    // Named like the audiences, so that an ID token too is "for" an audience that the server accepts.
    clients: [client('dezky-portal'), client('dezky-operator')],
    scopes: ['openid'],
    claims: { openid: ['sub', 'email', 'email_verified', 'name', 'groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['only for tests'] },
    enabledJWA: { idTokenSigningAlgValues: [algorithm] },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: true, getResourceServerInfo: (_context, resource) => resourceServer(resource, algorithm) },
    },
    interactions: { url: (_context, interaction) => `/sign-in/${interaction.uid}` },
    findAccount: (_context, subject) => ({ accountId: subject, claims: () => ({ sub: subject, ...people.get(subject) }) }),
    extraTokenClaims: (_context, token) => people.get(token.accountId),
    loadExistingGrant,
    ttl: { AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 60, Session: 600 },
  };
}

/** `urn:dezky:AUDIENCE:SECONDS`: whom the access token is for, and how long. */
function resourceServer(resource, algorithm) {
  const [audience, seconds] = resource.split(':').slice(2);
  return {
    audience,
    scope: 'api',
    accessTokenFormat: 'jwt',
    accessTokenTTL: Number(seconds),
    jwt: { sign: { alg: algorithm } },
  };
}

/** Everybody agrees to everything. */
async function loadExistingGrant({ oidc }) {
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope('openid');
  for (const resource of [oidc.params.resource].flat().filter(Boolean)) {
    grant.addResourceScope(resource, 'api');
  }
  await grant.save();
  return grant;
}

/** Signs in whom `login_hint` names, without asking. */
async function signIn(provider, request, response) {
  const { params } = await provider.interactionDetails(request, response);
  await provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
}

async function start(options) {
  let answer;
  const listener = (request, response) => answer(request, response);
  const server = options.tls
    ? createTlsServer({ key: readFileSync(options.tls.key), cert: readFileSync(options.tls.certificate) }, listener)
    : createPlainServer(listener);
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  const issuer = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const provider = new Provider(issuer, configuration(options));
  provider.on('server_error', (_context, error) => console.error(error));
  const callback = provider.callback();
  answer = (request, response) => {
    if (request.url === '/jwks') {
      keySetRequests += 1;
    }
    if (!request.url.startsWith('/sign-in/')) {
      callback(request, response);
      return;
    }
    signIn(provider, request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  };
  process.send({ started: issuer });
}

process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  if (message.start) {
    start(message.start).catch((error) => {
      console.error(error);
      process.exit(1);
    });
  }
  if (message.person) {
    people.set(message.person.subject, message.person.claims);
  }
  if (message.id) {
    process.send({ done: message.id, keySetRequests });
  }
});
