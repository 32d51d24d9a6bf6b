// The OpenFeature provider; its SDK needs the types of Node.
import type { Client, Ruleset } from '@dezky/sdk-node'
import { DezkyProvider } from '@dezky/sdk-node/openfeature'
import { OpenFeature, type Provider } from '@openfeature/server-sdk'

export async function start(snapshot: string): Promise<Ruleset> {
  const dezky = new DezkyProvider(snapshot)
  const provider: Provider = dezky
  await OpenFeature.setProviderAndWait(provider)
  dezky.replace(Buffer.from(snapshot))
  return dezky.rules
}

export const live = (client: Client<'new-portal'>): Provider => new DezkyProvider(client)
