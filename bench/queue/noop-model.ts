/** The model that does nothing, as the worker sees it. */
import { modelFiles } from '../../models/testing/model-files.ts';

export const noopModel = modelFiles({ id: 'noop', description: 'does nothing' });
