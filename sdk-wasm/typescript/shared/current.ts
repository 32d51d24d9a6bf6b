/** The engine that this page or process runs on. */
import type { Engine, Population } from './engine.js'
import { fail } from './error.js'

let currentEngine: Engine | undefined
let currentPopulation: Population | undefined

export function use(engine: Engine): void {
  currentEngine = engine
}

export function usePopulation(population: Population): void {
  currentPopulation = population
}

export const engine = (): Engine => currentEngine ?? fail('not_ready')
export const population = (): Population => currentPopulation ?? fail('not_ready')
