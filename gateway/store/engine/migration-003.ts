// The log's own time (log-time.ts): columns for the present log time, and a table of marks that say how far the log had come at
// earlier moments. Log time begins at 0 with no mark: the first unit starts it, so nothing is old at first. No row of a backup
// changes.

import type { ColumnTypes } from './column-types.ts';

export function logTimes({ text, integer, suffix }: ColumnTypes): readonly string[] {
  const started = (name: string): string => `alter table log_position add column ${name} ${integer} not null default 0`;
  return [
    started('log_time'),
    started('newest_at'),
    `alter table log_position add column hour_ahead ${integer}`,
    `alter table log_position add column ahead ${integer}`,
    started('marked_at'),
    started('lowest_clock'),
    `create table log_marks (epoch ${text} not null, log_time ${integer} not null, seq ${integer} not null,
      lowest_clock ${integer} not null, ahead ${integer}, primary key (epoch, log_time)) ${suffix}`,
  ];
}
