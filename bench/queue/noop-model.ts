/** The model that does nothing, as the worker sees it. */
import type { ModelFiles } from '../../models/repository/model-files.ts';

export const noopModel: ModelFiles = {
  id: 'noop',
  task: 'feature-extraction',
  version: '1',
  isDefault: false,
  description: 'does nothing',
  licence: null,
  dtype: 'fp32',
  folder: '/none',
  versionFolder: '/none',
  limits: {},
  parameters: {},
  samples: [],
  sha256: {},
};
