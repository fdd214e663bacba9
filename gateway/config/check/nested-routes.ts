// Lists routes that lie inside another route and accept something else. A credential that opens the outer route does not open the
// inner one by itself, nor the other way round, so an operator should see both at once. Such routes are legitimate: a note, no problem.

import type { Config, RouteConfig } from '../compiled/config.ts';
import { type Problem, problemAt } from '../problems/problem.ts';

/** One line for each route whose nearest enclosing route of the same host has another `accept`. */
export function nestedRoutes({ routes }: Pick<Config, 'routes'>): readonly Problem[] {
  const found: Problem[] = [];
  for (const [at, inner] of routes.entries()) {
    const outer = enclosing(inner, routes);
    if (outer === null) continue;
    const missing = outer.accept.filter((kind) => !inner.accept.includes(kind));
    const more = inner.accept.filter((kind) => !outer.accept.includes(kind));
    if (missing.length + more.length === 0) continue;
    const problem =
      `route ${inner.name} (${inner.path}, accept: ${inner.accept.join(', ')}) lies inside route ${outer.name} ` +
      `(${outer.path}, accept: ${outer.accept.join(', ')})`;
    const isOpen = inner.accept.includes('anyone');
    const lost = missing.length === 0 || isOpen ? '' : `${missing.join(', ')} does not open it`;
    const won = isOpen
      ? 'everybody gets in there'
      : more.length === 0
        ? ''
        : `${more.join(', ')} opens no more than it`;
    const hint = `${[lost, won].filter((part) => part !== '').join('; ')}: give both one accept if that is not meant`;
    found.push(problemAt(['routes', at, 'accept'], problem, hint));
  }
  return found;
}

function enclosing(inner: RouteConfig, routes: readonly RouteConfig[]): RouteConfig | null {
  let nearest: RouteConfig | null = null;
  for (const route of routes) {
    const isAround = route !== inner && route.path.endsWith('/') && inner.path.startsWith(route.path);
    if (!isAround || route.host !== inner.host) continue;
    if (nearest === null || route.path.length > nearest.path.length) nearest = route;
  }
  return nearest;
}
