// Indexes for the lists of links: newest first, all of them or those of one collection, and from any place of the list on.
// Changes no row and no column, so backups of before can be restored.

export function linkLists(): readonly string[] {
  return [
    'create index links_created on links (created_at, id)',
    'drop index links_collection',
    'create index links_collection on links (collection, created_at, id)',
  ];
}
