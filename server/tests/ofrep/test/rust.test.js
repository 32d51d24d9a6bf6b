// open-feature-ofrep with open-feature.

import { join } from 'node:path';

import { WORKSPACE } from '../support/server.js';
import { everyCase } from '../support/elsewhere.js';

everyCase('rust', join(WORKSPACE, 'target', 'ofrep-rust', 'debug', 'dezky-ofrep-tests'), []);
