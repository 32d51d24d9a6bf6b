// What the page has: a provider with nothing but an address and a credential, everything else as it comes.

import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';

import { askFor, shown } from './shown.js';

let domains = 0;

/** A client of its own for a context; what went wrong at its start, where something did. */
async function start({ url, headers, context }) {
  domains += 1;
  const domain = `domain-${domains}`;
  const provider = new OFREPWebProvider({ baseUrl: url, headers });
  let failure;
  try {
    await OpenFeature.setProviderAndWait(domain, provider, context);
  } catch (error) {
    failure = error.code ?? String(error);
  }
  return { client: OpenFeature.getClient(domain), provider, failure };
}

/** What is shown of cases that have server, key and context in common. */
async function evaluate({ cases, ...how }) {
  const { client, provider, failure } = await start(how);
  const answers = cases.map((one) => {
    const details = shown(client[askFor(one.type)](one.flag, one.default));
    return failure ? { failure, ...details } : details;
  });
  await provider.onClose();
  return answers;
}

/** Everything that was heard, and when, and what the watched flag was then. */
const heard = [];

/** Follows a flag from now on. */
async function watch({ flag, ...how }) {
  const { client, failure } = await start(how);
  if (failure) {
    throw new Error(failure);
  }
  for (const event of Object.values(ProviderEvents)) {
    client.addHandler(event, (details) => {
      const { value, errorCode } = client.getBooleanDetails(flag, false);
      heard.push({ event, at: Date.now(), value: errorCode ?? value, changed: details?.flagsChanged });
    });
  }
}

globalThis.page = { evaluate, watch, heard };
