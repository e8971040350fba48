/** HTML that can not be broken out of: what is put into a template is escaped, unless it is HTML made the same way. */
import { escapeHtml } from '../../openapi/page.ts';

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Html | string | number | null | undefined | false | readonly Part[];

/** Attributes go in double quotes. A list is joined; null, undefined and false are nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, literal, at) => text + render(parts[at - 1]) + literal));
}

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return (part as readonly Part[]).map(render).join('');
  return part === null || part === undefined || part === false ? '' : escapeHtml(String(part));
}
