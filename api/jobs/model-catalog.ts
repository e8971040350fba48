/**
 * Which model a request means: by name, or by task through its default. Knows the repository and the contracts, not
 * whether a worker has the model loaded.
 */
import type { TaskContracts } from '../../models/discover-tasks.ts';
import type { ModelFiles, ModelRepository } from '../../models/repository/model-files.ts';
import { nearestMatch } from '../../models/repository/nearest-match.ts';
import type { TaskContract } from '../../models/task.ts';
import { Problem } from '../../shared/problems/problem.ts';

export interface ServedModel {
  readonly files: ModelFiles;
  readonly contract: TaskContract;
}

export class ModelCatalog {
  readonly repository: ModelRepository;
  readonly contracts: TaskContracts;
  /** Highest version of each model, by id. */
  readonly #models = new Map<string, ServedModel>();

  constructor(repository: ModelRepository, contracts: TaskContracts) {
    this.repository = repository;
    this.contracts = contracts;
    for (const files of repository.models) {
      const contract = contracts.get(files.task);
      if (contract && !this.#models.has(files.id)) this.#models.set(files.id, { files, contract });
    }
  }

  get models(): ServedModel[] {
    return [...this.#models.values()];
  }

  /** Throws unknown-model, unknown-task, or validation-failed when both are named and do not fit. */
  resolve(wish: { readonly model?: string | undefined; readonly task?: string | undefined }): ServedModel {
    if (wish.model === undefined && wish.task === undefined) {
      throw fault('validation-failed', '/model', 'Name a `model` or a `task`.');
    }
    if (wish.model === undefined) return this.#defaultOf(wish.task ?? '');
    const model = this.#models.get(wish.model);
    if (!model) throw this.#unknownModel(wish.model);
    if (wish.task !== undefined && wish.task !== model.files.task) {
      throw fault('validation-failed', '/task', `${model.files.id} serves ${model.files.task}, not the task named.`);
    }
    return model;
  }

  #defaultOf(task: string): ServedModel {
    if (!this.contracts.has(task)) {
      const known = [...this.contracts.keys()];
      throw fault('unknown-task', '/task', `No such task${suggest(task, known)} Tasks: ${known.join(', ')}.`);
    }
    const model = this.models.find(({ files }) => files.task === task && files.isDefault);
    if (model) return model;
    const others = this.models.filter(({ files }) => files.task === task).map(({ files }) => files.id);
    const detail =
      others.length > 0
        ? `No model serves ${task} by default. Name one of its models: ${others.slice(0, 8).join(', ')}.`
        : `No model here serves ${task}. GET /v1/models lists what is served; MODELS_DIR adds a folder of models.`;
    throw fault('unknown-task', '/task', detail);
  }

  #unknownModel(id: string): Problem {
    if (this.repository.broken.some((model) => model.id === id)) {
      return fault('unknown-model', '/model', `${id} is there but can not be served; GET /v1/models says why.`);
    }
    const known = [...this.#models.keys()];
    const list = known.length > 0 ? `Models: ${known.slice(0, 8).join(', ')}.` : 'The repository holds no model.';
    return fault('unknown-model', '/model', `No such model${suggest(id, known)} ${list}`);
  }
}

function suggest(word: string, known: readonly string[]): string {
  const nearest = nearestMatch(word.slice(0, 100), known);
  return nearest === null ? '.' : `; did you mean "${nearest}"?`;
}

function fault(slug: 'unknown-model' | 'unknown-task' | 'validation-failed', pointer: string, detail: string): Problem {
  return new Problem(slug, detail, { errors: [{ pointer, detail }] });
}
