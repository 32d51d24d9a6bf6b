/** The live client here is that of every edge. */
export { connect } from '../edge/client.js'
