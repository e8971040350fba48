/** /openapi.json and /docs. Made once per state of the model repository; only the origin differs between callers. */
import type { ModelRepository } from '../../models/repository/model-files.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Call } from '../http/call.ts';
import { originOf } from '../http/origin.ts';
import { sendHtml, sendJson } from '../http/send.ts';
import type { OpenApiDocument } from '../openapi/build-openapi.ts';

const originMark = 'https://origin.invalid';

export class Docs {
  readonly #parts: ApiDependencies;
  #repository: ModelRepository | undefined;
  #json: string | undefined;
  #html: string | undefined;

  constructor(parts: ApiDependencies) {
    this.#parts = parts;
  }

  async openapi(call: Call): Promise<void> {
    this.#forgetOld();
    this.#json ??= JSON.stringify(await this.#document());
    sendJson(call, 200, JSON.parse(this.#localize(this.#json, call)) as unknown);
  }

  async page(call: Call): Promise<void> {
    this.#forgetOld();
    if (!this.#html) {
      const { docsPage } = await import('../openapi/docs-page.ts');
      this.#html = docsPage(await this.#document(), this.#parts.catalog.models);
    }
    sendHtml(call, 200, this.#localize(this.#html, call));
  }

  #forgetOld(): void {
    const { repository } = this.#parts.catalog;
    if (this.#repository !== repository) [this.#json, this.#html] = [undefined, undefined];
    this.#repository = repository;
  }

  /** Loaded late: its generator is 60 ms of start-up that a busy API never needs. */
  async #document(): Promise<OpenApiDocument> {
    const { buildOpenApi } = await import('../openapi/build-openapi.ts');
    return buildOpenApi(this.#parts.catalog, originMark);
  }

  /** A host has no character that HTML or JSON would need escaped (see `originOf`). */
  #localize(text: string, call: Call): string {
    return text.replaceAll(originMark, originOf(call, this.#parts.publicUrl));
  }
}
