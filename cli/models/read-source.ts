/** What `pull` was given: a model of the Hub or of an MLflow registry. Pure. */
import { ModelFault } from '../../models/repository/manifest.ts';

export type Source =
  | { readonly kind: 'hub'; readonly name: string; readonly id: string }
  | {
      readonly kind: 'mlflow';
      readonly name: string;
      readonly id: string;
      readonly version?: string;
      readonly alias?: string;
    };

const hubName = /^(?:hf:|https:\/\/[^/]+\/)?([A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95})\/?$/;
/** `models:/name/3`, `models:/name@champion`, and `models:/name/champion`. */
const mlflowName = /^models:\/+([^/@]{1,200})(?:\/([1-9]\d{0,8})|[@/]([A-Za-z0-9_.-]{1,200}))$/;

export function readSource(text: string): Source {
  const [, name, version, alias] = mlflowName.exec(text) ?? [];
  if (name !== undefined) {
    const id = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 96);
    return {
      kind: 'mlflow',
      name,
      id,
      ...(version !== undefined && { version }),
      ...(alias !== undefined && { alias }),
    };
  }
  const [, model] = hubName.exec(text) ?? [];
  if (model !== undefined) return { kind: 'hub', name: model, id: model.split('/')[1] ?? model };
  throw new ModelFault(
    `"${text}" is no source. Name a model of the Hub as org/name, or one of MLflow as models:/name/3 or models:/name@alias.`,
    { fix: 'npm run models -- pull --help' },
  );
}
