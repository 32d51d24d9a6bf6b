/** The engine that this process or page currently uses. */
import type { Engine, Population } from './engine.js'
import { fail } from './error.js'

let currentEngine: Engine | undefined
let currentPopulation: Population | undefined

export function useEngine(engine: Engine): void {
  currentEngine = engine
}

export function usePopulation(population: Population): void {
  currentPopulation = population
}

export const engine = (): Engine => currentEngine ?? fail('not_ready')
export const population = (): Population => currentPopulation ?? fail('not_ready')
