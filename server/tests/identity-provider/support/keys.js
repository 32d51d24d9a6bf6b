// Signing keys of an identity provider.

import { generateKeyPairSync, randomUUID } from 'node:crypto';

const KINDS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};

export const ALGORITHMS = Object.keys(KINDS);

/** Creates a private key with a new id. */
export function newKey(algorithm) {
  const [kind, options] = KINDS[algorithm];
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: algorithm };
}
