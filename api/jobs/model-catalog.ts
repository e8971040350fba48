/**
 * Which model a request means: by name, by name and version (`ner@2`), or by task through its default. Knows the
 * repository, which changes while the process runs, and the contracts; not whether a worker has the model loaded.
 */
import type { TaskContracts } from '../../models/discover-tasks.ts';
import type { ModelFiles, ModelRepository } from '../../models/repository/model-files.ts';
import { nearestMatch } from '../../models/repository/nearest-match.ts';
import type { TaskContract } from '../../models/task.ts';
import { Problem } from '../../shared/problems/problem.ts';

export interface ServedModel {
  readonly files: ModelFiles;
  readonly contract: TaskContract;
  /** The version that the request named; absent for whichever serves when the job is claimed. */
  readonly version?: string;
}

export class ModelCatalog {
  readonly contracts: TaskContracts;
  #repository: ModelRepository;
  /** Highest version of each model, by id. */
  #models: ReadonlyMap<string, ServedModel> = new Map();

  constructor(repository: ModelRepository, contracts: TaskContracts) {
    this.contracts = contracts;
    this.#repository = repository;
    this.update(repository);
  }

  /** Changes with the folders: who keeps something made of it compares. */
  get repository(): ModelRepository {
    return this.#repository;
  }

  get models(): ServedModel[] {
    return [...this.#models.values()];
  }

  /** A model whose folder can no longer be read stays as it was: workers go on with it, too. */
  update({ models: read, broken }: ModelRepository): void {
    const brokenIds = new Set(broken.map(({ id }) => id));
    const kept = this.#repository.models.filter(
      ({ id }) => brokenIds.has(id) && !read.some((files) => files.id === id),
    );
    const models = new Map<string, ServedModel>();
    for (const files of [...read, ...kept]) {
      const contract = this.contracts.get(files.task);
      if (contract && !models.has(files.id)) models.set(files.id, { files, contract });
    }
    this.#repository = { models: [...read, ...kept], broken };
    this.#models = models;
  }

  /** Served versions of a model, highest first. */
  versionsOf(id: string): string[] {
    return this.#repository.models.filter((files) => files.id === id).map(({ version }) => version);
  }

  /** Throws unknown-model, unknown-task, or validation-failed when both are named and do not fit. */
  resolve(wish: { readonly model?: string | undefined; readonly task?: string | undefined }): ServedModel {
    if (wish.model === undefined && wish.task === undefined) {
      throw fault('validation-failed', '/model', 'Name a `model` or a `task`.');
    }
    if (wish.model === undefined) return this.#defaultOf(wish.task ?? '');
    const model = this.#named(wish.model);
    if (wish.task !== undefined && wish.task !== model.files.task) {
      throw fault('validation-failed', '/task', `${model.files.id} serves ${model.files.task}, not the task named.`);
    }
    return model;
  }

  #named(name: string): ServedModel {
    const at = name.indexOf('@');
    const model = this.#models.get(at < 0 ? name : name.slice(0, at));
    if (!model) throw this.#unknownModel(at < 0 ? name : name.slice(0, at));
    if (at < 0) return model;
    const version = name.slice(at + 1);
    const { id } = model.files;
    const files = this.#repository.models.find((other) => other.id === id && other.version === version);
    if (files) return { files, contract: model.contract, version };
    const versions = this.versionsOf(id).slice(0, 8).join(', ');
    throw fault('unknown-model', '/model', `${id} has no such version that is served. Versions: ${versions}.`);
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
        : `No model here serves ${task}. GET /v1/models lists what is served; \`millrace models pull\` gets more.`;
    throw fault('unknown-task', '/task', detail);
  }

  #unknownModel(id: string): Problem {
    if (this.#repository.broken.some((model) => model.id === id)) {
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
