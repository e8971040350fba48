/**
 * A folder under `tasks/` is the registration of a task. Imports contracts (all, at boot) and pipelines (one, when a
 * model needs it), and checks each default export, so that a fault is reported by path and not by its consequences.
 * Discovery trades static typing for one folder per task; these checks buy it back.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ChatPipeline, PipelineFactory, TaskContract, TaskRecord } from './task.ts';

export type TaskContracts = ReadonlyMap<string, TaskContract>;

const ownTasks = join(import.meta.dirname, 'tasks');
const mediaKinds: readonly unknown[] = ['text', 'audio', 'image'];
const priorities: readonly unknown[] = ['high', 'normal', 'low'];

/** Every task's contract by name, in alphabetical order. Throws on the first faulty folder, naming its path. */
export async function loadContracts(tasksFolder: string = ownTasks): Promise<TaskContracts> {
  const entries = await readdir(tasksFolder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const contracts = await Promise.all(names.sort().map((name) => loadContract(tasksFolder, name)));
  return new Map(contracts.map((contract) => [contract.task, contract]));
}

async function loadContract(tasksFolder: string, name: string): Promise<TaskContract> {
  const path = join(tasksFolder, name, 'contract.ts');
  const contract = await importDefault(path);
  const faults = contractFaults(contract, name);
  if (faults.length > 0) throw new Error(`${path}: ${faults.join('; ')}.`);
  return contract as TaskContract;
}

/** The pipeline factory of one task. `task` comes from a manifest, so a path in it must not leave the folder. */
export async function loadPipelineFactory(task: string, tasksFolder: string = ownTasks): Promise<PipelineFactory> {
  return (await loadFactory(task, tasksFolder, 'pipeline.ts')) as PipelineFactory;
}

/** The same for models of the task that a server elsewhere runs. */
export async function loadChatFactory(task: string): Promise<PipelineFactory<ChatPipeline>> {
  return (await loadFactory(task, ownTasks, 'chat.ts')) as PipelineFactory<ChatPipeline>;
}

async function loadFactory(task: string, tasksFolder: string, file: string): Promise<unknown> {
  if (!/^[a-z0-9-]+$/.test(task)) throw new Error(`Task "${task}" is not a task's name (a-z, 0-9, -).`);
  const path = join(tasksFolder, task, file);
  const factory = await importDefault(path);
  if (!isRecord(factory) || factory['task'] !== task || typeof factory['createPipeline'] !== 'function') {
    throw new Error(`${path}: default export must be {task: '${task}', createPipeline(files, use)}.`);
  }
  return factory;
}

/** How every task's outputs are remembered, by task. Throws on the first folder without, naming its path. */
export async function loadRecords(tasksFolder: string = ownTasks): Promise<ReadonlyMap<string, TaskRecord>> {
  const entries = await readdir(tasksFolder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const records = await Promise.all(names.sort().map((name) => loadRecord(tasksFolder, name)));
  return new Map(records.map((record) => [record.task, record]));
}

async function loadRecord(tasksFolder: string, name: string): Promise<TaskRecord> {
  const path = join(tasksFolder, name, 'record.ts');
  const record = await importDefault(path);
  const isRight =
    isRecord(record) &&
    record['task'] === name &&
    typeof record['summarize'] === 'function' &&
    isSchema(record['correction']) &&
    (record['toExample'] === null || typeof record['toExample'] === 'function');
  if (!isRight) throw new Error(`${path}: default export must be a TaskRecord of '${name}' (models/task.ts).`);
  return record as unknown as TaskRecord;
}

async function importDefault(path: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
    return module.default;
  } catch (error) {
    throw new Error(`${path} can not be imported: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function contractFaults(contract: unknown, folder: string): string[] {
  if (!isRecord(contract)) return ['no default export; export a TaskContract'];
  const faults: string[] = [];
  const expect = (isRight: boolean, fault: string) => {
    if (!isRight) faults.push(fault);
  };
  expect(contract['task'] === folder, `task is "${String(contract['task'])}" but the folder is "${folder}"`);
  for (const key of ['title', 'description']) expect(typeof contract[key] === 'string', `${key} must be a string`);
  expect(mediaKinds.includes(contract['media']), `media must be one of ${mediaKinds.join(', ')}`);
  expect(priorities.includes(contract['defaultPriority']), `defaultPriority must be one of ${priorities.join(', ')}`);
  for (const key of ['parameters', 'output']) expect(isSchema(contract[key]), `${key} must be a zod schema`);
  const limits = contract['limits'];
  expect(isRecord(limits) && Number.isSafeInteger(limits['itemBytesMax']), 'limits.itemBytesMax must be an integer');
  expect(isRecord(contract['example']) && 'input' in contract['example'], 'example needs input and output');
  return faults;
}

function isSchema(value: unknown): boolean {
  return isRecord(value) && typeof value['safeParse'] === 'function';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
