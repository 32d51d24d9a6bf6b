/** The engine over world.wasm: the population and the model. */
import { type ModuleExports, openBuffers } from './buffers.js'
import type { Population, Source, WorldHandle } from './shared/engine.js'

/** The exports of world.wasm: the methods of `Population` in src/population.rs. */
export interface WorldExports extends ModuleExports {
  world(self: number): number
  free_world(self: number, number: number): void
  plan(self: number, number: number): void
  ladder(self: number, number: number): void
  counts(self: number, number: number): void
  fingerprint(self: number, number: number): void
  validate(self: number, split: number): void
}

type Query = 'plan' | 'ladder' | 'counts' | 'fingerprint'

export function worldEngine(population: WorldExports): Population {
  const { self, write, read, freeOnCollection, release } = openBuffers(population, population.free_world)

  class Handle implements WorldHandle {
    readonly revision: number
    readonly environment: string
    readonly registered: number
    readonly #number: number

    constructor(number: number) {
      const { revision, environment, registered } = JSON.parse(read())
      this.revision = revision
      this.environment = environment
      this.registered = registered
      this.#number = number
      freeOnCollection(this, number)
    }

    plan = (edit: Source): string => this.#query('plan', edit)
    ladder = (key: string): string => this.#query('ladder', key)
    counts = (key: string): string => this.#query('counts', key)
    fingerprint = (): string => this.#query('fingerprint', '')
    free = (): void => release(this, this.#number)

    #query(query: Query, source: Source): string {
      write(source)
      population[query](self, this.#number)
      return read()
    }
  }

  return {
    world(document) {
      write(document)
      return new Handle(population.world(self))
    },
    validate(kind, document) {
      population.validate(self, write(kind, document))
      return read()
    },
  }
}
