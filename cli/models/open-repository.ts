/** What the folders hold, for commands that show, check or change one model; and the model that a user means. */
import { dirname } from 'node:path';
import { ModelFault, suggestion } from '../../models/repository/manifest.ts';
import type { BrokenModel, ModelFiles, ModelRepository } from '../../models/repository/model-files.ts';
import { scanRepository } from '../../models/repository/scan-repository.ts';
import { readSettings, type Settings } from '../../shared/config/settings.ts';
import type { ModelHome } from './install-model.ts';

export interface OpenRepository {
  readonly settings: Settings;
  readonly repository: ModelRepository;
  readonly home: ModelHome;
}

export async function openRepository(env: Readonly<Record<string, string | undefined>>): Promise<OpenRepository> {
  const settings = readSettings(env);
  const others = settings.modelDirs.filter((directory) => directory !== settings.modelHome);
  const repository = await scanRepository(settings.modelDirs);
  return { settings, repository, home: { home: settings.modelHome, others } };
}

export interface NamedModel {
  readonly id: string;
  /** The model's folder. */
  readonly folder: string;
  /** Versions that can be served, highest first. */
  readonly versions: readonly ModelFiles[];
  readonly broken: readonly BrokenModel[];
}

/** `ner` or `ner@2`; throws with the nearest name. */
export function findModel({ models, broken }: ModelRepository, name: string): NamedModel {
  const [id = '', version] = name.split('@');
  const versions = models.filter((files) => files.id === id && (version === undefined || files.version === version));
  const faults = broken.filter((model) => model.id === id || model.id.startsWith(`${id}@`));
  const folder = versions[0]?.folder ?? faults[0]?.folder;
  if (folder !== undefined) return { id, folder, versions, broken: faults };
  const ids = [...new Set([...models, ...broken].map((model) => model.id))];
  const served = models.filter((files) => files.id === id).map((files) => files.version);
  if (served.length > 0) throw new ModelFault(`${id} serves no version ${version}; it serves ${served.join(', ')}.`);
  throw new ModelFault(
    `There is no model "${id}"${suggestion(id, ids) || '.'} Models: ${ids.slice(0, 12).join(', ')}.`,
    {
      fix: 'npm run models -- list',
    },
  );
}

/** Models that ship, or of another folder, are not the user's to remove. */
export function isAtHome({ folder }: NamedModel, { home }: ModelHome): boolean {
  return dirname(folder) === home;
}
