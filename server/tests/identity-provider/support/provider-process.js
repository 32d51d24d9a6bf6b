// The process of the identity provider. Its parent configures it by a message, and then sets users.

import { createServer as createPlainServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { readFileSync } from 'node:fs';

import Provider from 'oidc-provider';

/** The claims of each user, by subject. */
const users = new Map();
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
    // The clients are named like the audiences, so that ID tokens have an accepted audience too.
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
    findAccount: (_context, subject) => ({ accountId: subject, claims: () => ({ sub: subject, ...users.get(subject) }) }),
    extraTokenClaims: (_context, token) => users.get(token.accountId),
    loadExistingGrant,
    ttl: { AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 60, Session: 600 },
  };
}

/** Parses `urn:dezky:AUDIENCE:SECONDS`, the audience and lifetime of the access token. */
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

/** Grants every requested scope without asking. */
async function loadExistingGrant({ oidc }) {
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope('openid');
  for (const resource of [oidc.params.resource].flat().filter(Boolean)) {
    grant.addResourceScope(resource, 'api');
  }
  await grant.save();
  return grant;
}

/** Signs in the user of `login_hint` without asking. */
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
    users.set(message.person.subject, message.person.claims);
  }
  if (message.id) {
    process.send({ done: message.id, keySetRequests });
  }
});
