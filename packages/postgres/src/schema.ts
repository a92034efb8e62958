import { checkSchema } from './identifier.ts'

/** How long the name of a message is remembered, in milliseconds: a minute, and what the last one may take to arrive. */
const nameMs = 90_000

/** A topic without messages is kept this long, in milliseconds. Nodes that use one prolong it. */
export const idleMs = 86_400_000

/** Most messages that are removed when one is appended. */
const mostTrimmed = 100

/** `pg_notify` takes fewer bytes than this. https://www.postgresql.org/docs/current/sql-notify.html */
const notifyBytes = 8_000

/** Exists if the whole schema does. */
export const lastFunction = 'sweep_v1(text, bytea[])'

/**
 * Returns the SQL that creates the tables and functions of the backplane, for your migrations. It changes nothing that
 * exists, except that it replaces the functions.
 * @param schema their schema
 * @throws TypeError if `schema` is not 1 to 50 lower-case letters, digits and `_`
 */
export function postgresSchema(schema = 'oneport'): string {
  return sql.replaceAll('$schema', checkSchema(schema))
}

// A transaction gets the row of a topic before its next offset, and keeps it until it has committed. Notifications are
// delivered in the order of the commits, so those of a topic arrive in the order of their offsets.
const sql = `
create schema if not exists $schema;

-- One row. A new generation begins another epoch in all topics.
create table if not exists $schema.store (
  is_only boolean primary key default true check (is_only),
  generation text not null
);

-- How many batches each node has had acknowledged: a server that has fewer has lost data.
create table if not exists $schema.nodes (
  id text primary key,
  batches bigint not null,
  seen_at bigint not null
);

create table if not exists $schema.topics (
  id bigint generated always as identity primary key,
  topic bytea not null unique,
  epoch text not null,
  -- What the server was when the epoch began.
  life text not null,
  first bigint not null default 1,
  last bigint not null default 0,
  bytes bigint not null default 0,
  -- When to remove its messages, or if it has none, the topic.
  due_at bigint not null,
  -- The transaction that wrote this row: a row from a dump has been written by another one.
  written_by xid8 not null default pg_current_xact_id()
) with (fillfactor = 50);
create index if not exists topics_due_at on $schema.topics (due_at);

create table if not exists $schema.messages (
  topic_id bigint not null references $schema.topics on delete cascade,
  number bigint not null,
  at bigint not null,
  message bytea not null,
  primary key (topic_id, number)
);

create table if not exists $schema.names (
  topic_id bigint not null references $schema.topics on delete cascade,
  name bytea not null,
  number bigint not null,
  at bigint not null,
  primary key (topic_id, name)
);

-- Messages of topics without history that are too large for a notification.
create unlogged table if not exists $schema.large (
  id bigint generated always as identity primary key,
  at bigint not null,
  message bytea not null
);

create or replace function $schema.now_v1() returns bigint language sql volatile
as $function$ select (extract(epoch from clock_timestamp()) * 1000)::bigint $function$;

-- Names the life of the data: it changes when the server is another one, after a failover or a recovery to a point in
-- time, which begin another timeline, and with the generation.
create or replace function $schema.life_v1() returns text language plpgsql volatile set search_path = pg_catalog
as $function$
declare
  generation text;
begin
  select s.generation into generation from $schema.store s;
  if not found then
    insert into $schema.store (generation) values (gen_random_uuid()::text) on conflict do nothing;
    select s.generation into generation from $schema.store s;
  end if;
  return generation || ' ' || (select system_identifier from pg_control_system()) || ' ' ||
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
end
$function$;

-- Called on each connection. Returns which server this is, and whether it has lost what this node has had acknowledged.
create or replace function $schema.greet_v1(node text, acknowledged bigint, out server text, out is_older boolean)
language plpgsql volatile set search_path = pg_catalog
as $function$
begin
  is_older := acknowledged > 0 and not exists (
    select from $schema.nodes n where n.id = node and n.batches >= acknowledged
  );
  if is_older then
    update $schema.store set generation = gen_random_uuid()::text;
    insert into $schema.nodes values (node, acknowledged, $schema.now_v1())
      on conflict (id) do update set batches = excluded.batches, seen_at = excluded.seen_at;
  end if;
  server := $schema.life_v1() || ' ' || pg_postmaster_start_time()::text;
end
$function$;

-- Locks the row of a topic, and begins another epoch if there is none, or it is of another life.
create or replace function $schema.topic_v1(given bytea, current_life text) returns $schema.topics
language plpgsql volatile set search_path = pg_catalog
as $function$
declare
  held $schema.topics;
  is_own boolean;
begin
  loop
    select t.* into held from $schema.topics t where t.topic = given for update;
    if found then
      select t.life = current_life and t.xmin = t.written_by::xid into is_own from $schema.topics t where t.id = held.id;
      if is_own then
        return held;
      end if;
      delete from $schema.topics t where t.id = held.id;
    end if;
    insert into $schema.topics (topic, epoch, life, due_at)
      values (given, 'p' || replace(gen_random_uuid()::text, '-', ''), current_life, $schema.now_v1() + ${idleMs})
      on conflict (topic) do nothing;
  end loop;
end
$function$;

-- Sends messages, and keeps those that have limits. Nodes sort them by topic, so that they lock topics in the same order.
create or replace function $schema.send_v1(node text, batch bigint, contents bytea, entries jsonb)
returns table (epoch text, number bigint) language plpgsql volatile set search_path = pg_catalog
as $function$
#variable_conflict use_column
declare
  life text;
  now_ms bigint := $schema.now_v1();
  entry record;
  held $schema.topics;
  oldest record;
  body bytea;
  place text;
  text_form text;
  start integer := 1;
  earlier bigint;
  reference bigint;
begin
  for entry in
    select * from jsonb_to_recordset(entries) as e (
      channel text, topic text, name text, size integer, messages bigint, ms bigint, bytes bigint
    )
  loop
    body := substr(contents, start, entry.size);
    start := start + entry.size;
    place := '- -';

    if entry.messages is not null then
      if life is null then
        life := $schema.life_v1();
        insert into $schema.nodes values (node, batch, now_ms)
          on conflict (id) do update set batches = excluded.batches, seen_at = excluded.seen_at;
      end if;
      held := $schema.topic_v1(decode(entry.topic, 'base64'), life);

      if entry.name is not null then
        select n.number into earlier from $schema.names n
          where n.topic_id = held.id and n.name = decode(entry.name, 'base64') and n.at > now_ms - ${nameMs};
        if found then
          epoch := held.epoch;
          number := earlier;
          return next;
          continue;
        end if;
        insert into $schema.names values (held.id, decode(entry.name, 'base64'), held.last + 1, now_ms)
          on conflict (topic_id, name) do update set number = excluded.number, at = excluded.at;
      end if;

      held.last := held.last + 1;
      held.bytes := held.bytes + entry.size;
      insert into $schema.messages values (held.id, held.last, now_ms, body);
      for trimmed in 1..${mostTrimmed} loop
        exit when held.first > held.last;
        select m.at, octet_length(m.message) as size into oldest from $schema.messages m
          where m.topic_id = held.id and m.number = held.first;
        exit when found and held.last - held.first < entry.messages and held.bytes <= entry.bytes
          and oldest.at > now_ms - entry.ms;
        delete from $schema.messages m where m.topic_id = held.id and m.number = held.first;
        held.bytes := held.bytes - coalesce(oldest.size, 0);
        held.first := held.first + 1;
      end loop;
      -- Rounded to a minute, so that most updates do not touch the index.
      update $schema.topics t set first = held.first, last = held.last, bytes = held.bytes,
        due_at = (now_ms + least(entry.ms, 9000000000000)) / 60000 * 60000 + 60000, written_by = pg_current_xact_id()
        where t.id = held.id;
      epoch := held.epoch;
      number := held.last;
      place := epoch || ' ' || number;
    else
      epoch := null;
      number := null;
    end if;

    text_form := place || ' ' || entry.topic || ' ';
    if length(text_form) + entry.size * 1.36 < ${notifyBytes} - 8 then
      text_form := text_form || encode(body, 'base64');
    elsif entry.messages is null then
      insert into $schema.large (at, message) values (now_ms, body) returning id into reference;
      text_form := '- ' || reference || ' ' || entry.topic;
    else
      text_form := place || ' ' || entry.topic;
    end if;
    perform pg_notify(entry.channel, text_form);
    return next;
  end loop;
end
$function$;

-- Reads what is kept of a topic: one row for each message, or one without a message.
create or replace function $schema.read_v1(
  given bytea, after_epoch text, after_number bigint, seen_epoch text, seen_number bigint,
  most_messages bigint, most_ms bigint, most_bytes bigint
)
returns table (epoch text, last bigint, number bigint, message bytea)
language plpgsql volatile set search_path = pg_catalog
as $function$
#variable_conflict use_column
declare
  current_life text := $schema.life_v1();
  held $schema.topics;
  is_own boolean;
begin
  select t.* into held from $schema.topics t where t.topic = given;
  select t.life = current_life and t.xmin = t.written_by::xid into is_own from $schema.topics t where t.id = held.id;
  if is_own is not true or (held.epoch = seen_epoch and held.last < seen_number) then
    held := $schema.topic_v1(given, current_life);
    -- The node has received messages that the server no longer has.
    if held.epoch = seen_epoch and held.last < seen_number then
      delete from $schema.topics t where t.id = held.id;
      held := $schema.topic_v1(given, current_life);
    end if;
  end if;
  return query
    select held.epoch, held.last, newest.number, newest.message
    from (select) as one left join (
      select m.number, m.message, m.at, sum(octet_length(m.message)) over (order by m.number desc) as bytes
      from $schema.messages m
      where m.topic_id = held.id and m.number <= held.last and m.number >= held.first
        and m.number > held.last - most_messages
        and m.number > case when held.epoch = after_epoch then after_number else 0 end
    ) as newest on newest.bytes <= most_bytes and newest.at > $schema.now_v1() - most_ms
    order by newest.number;
end
$function$;

-- Removes what is too old, and keeps what a node and its topics need.
create or replace function $schema.sweep_v1(node text, used bytea[]) returns void
language plpgsql volatile set search_path = pg_catalog
as $function$
declare
  now_ms bigint := $schema.now_v1();
  held $schema.topics;
begin
  update $schema.nodes n set seen_at = now_ms where n.id = node;
  update $schema.topics t set due_at = now_ms + ${idleMs}, written_by = pg_current_xact_id()
    where t.id in (
      select u.id from $schema.topics u
      where u.topic = any (used) and u.first > u.last and u.due_at < now_ms + ${idleMs} - 3600000
        and u.xmin = u.written_by::xid
      for update skip locked
    );
  for held in select t.* from $schema.topics t where t.due_at <= now_ms limit 1000 for update skip locked loop
    if held.first > held.last then
      delete from $schema.topics t where t.id = held.id;
    else
      delete from $schema.messages m where m.topic_id = held.id;
      update $schema.topics t set first = held.last + 1, bytes = 0, due_at = now_ms + ${idleMs},
        written_by = case when t.xmin = t.written_by::xid then pg_current_xact_id() else t.written_by end
        where t.id = held.id;
    end if;
  end loop;
  delete from $schema.names n where n.at < now_ms - ${nameMs};
  delete from $schema.large l where l.at < now_ms - ${nameMs};
  delete from $schema.nodes n where n.seen_at < now_ms - ${idleMs};
end
$function$;
`
