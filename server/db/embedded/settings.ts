// How the embedded PostgreSQL is set: a small machine, one application, loopback only. UTC, so that a day is the same day everywhere.

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '128MB',
  effective_cache_size: '1GB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  // Pages are written whole once after each checkpoint: rare checkpoints and compression keep the log small under steady inserts.
  max_wal_size: '2GB',
  min_wal_size: '128MB',
  checkpoint_timeout: '15min',
  wal_compression: 'on',
  synchronous_commit: 'on',
  // What waits in the aggregates' tails is inserted and deleted all the time.
  autovacuum_naptime: '5s',
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Statements here are short and many: compiling one costs more than running it.
  jit: 'off',
  max_parallel_workers_per_gather: '1',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  idle_in_transaction_session_timeout: '5min',
}

/** For clusters that live as long as one test run: nothing is forced to disk. */
const fleeting = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_connections: '200',
  max_prepared_transactions: '4',
}

export function settingFlags(port: number, durable: boolean): string[] {
  const all = Object.entries(durable ? settings : { ...settings, ...fleeting })
  return ['-p', String(port), ...all.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}
