/** A model as `scanRepository` describes it, for tests that need its words and none of its files. */
import type { ModelFiles } from '../repository/model-files.ts';

export function modelFiles(extra: Partial<ModelFiles> = {}): ModelFiles {
  return {
    id: 'model',
    task: 'feature-extraction',
    isAwaited: false,
    version: '1',
    isDefault: false,
    description: '',
    licence: null,
    card: null,
    source: null,
    dtype: 'fp32',
    folder: '/nowhere',
    versionFolder: '/nowhere/1',
    limits: {},
    parameters: {},
    samples: [],
    warmUpRows: [],
    batchDriftMax: null,
    customOpDomains: [],
    sha256: {},
    upstream: null,
    revision: 'r1',
    ...extra,
  };
}
