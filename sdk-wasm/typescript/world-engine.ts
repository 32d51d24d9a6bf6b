/** The engine on world.wasm: the population and the model. */
import { crossing, type Exports } from './crossing.js'
import type { Population, Source, WorldHandle } from './shared/engine.js'

/** What world.wasm exports: the methods of `Population` in src/population.rs. */
export interface WorldExports extends Exports {
  world(self: number): number
  free_world(self: number, number: number): void
  plan(self: number, number: number): void
  ladder(self: number, number: number): void
  counts(self: number, number: number): void
  fingerprint(self: number, number: number): void
  validate(self: number, split: number): void
}

type Question = 'plan' | 'ladder' | 'counts' | 'fingerprint'

export function worldEngine(population: WorldExports): Population {
  const { self, give, take, watch, release } = crossing(population, population.free_world)

  class Handle implements WorldHandle {
    readonly revision: number
    readonly environment: string
    readonly registered: number
    readonly #number: number

    constructor(number: number) {
      const { revision, environment, registered } = JSON.parse(take())
      this.revision = revision
      this.environment = environment
      this.registered = registered
      this.#number = number
      watch(this, number)
    }

    plan = (edit: Source): string => this.#ask('plan', edit)
    ladder = (key: string): string => this.#ask('ladder', key)
    counts = (key: string): string => this.#ask('counts', key)
    fingerprint = (): string => this.#ask('fingerprint', '')
    free = (): void => release(this, this.#number)

    #ask(question: Question, source: Source): string {
      give(source)
      population[question](self, this.#number)
      return take()
    }
  }

  return {
    world(document) {
      give(document)
      return new Handle(population.world(self))
    },
    validate(kind, document) {
      population.validate(self, give(kind, document))
      return take()
    },
  }
}
