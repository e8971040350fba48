/** Where a login leads: a path of our own pages, whatever `next` says. Pure. */

const home = '/admin';

export function nextPath(wish: string | null | undefined): string {
  if (!wish || wish.length > 500 || /[\\\s]/.test(wish) || !URL.canParse(wish, 'http://here')) return home;
  const { origin, pathname, search } = new URL(wish, 'http://here');
  const isOurs = origin === 'http://here' && (pathname === home || pathname.startsWith(`${home}/`));
  return isOurs && !/^\/admin\/log(in|out)$/.test(pathname) ? pathname + search : home;
}
