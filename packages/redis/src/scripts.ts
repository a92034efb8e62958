/**
 * What both scripts begin with. A topic has a hash, with its epoch, the offset of its newest message, and the bytes of
 * all messages so far; and a stream of messages, whose IDs are their offsets. Each message has a time, and how many bytes
 * there were before it.
 *
 * Redis has another replication ID after each start and after each failover, when messages that it acknowledged may be
 * lost. The topic then begins another epoch without messages. https://redis.io/docs/latest/operate/oss_and_stack/management/replication/#replication-id-explained
 */
const settle = `
local topic, log = KEYS[1], KEYS[2]
local text = function(number) return string.format('%.0f', number) end
local origin = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
if not origin then return redis.error_reply('ERR This server has no master_replid') end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local messages, ms, bytes, forgetMs = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local known = redis.call('HMGET', topic, 'origin', 'epoch', 'last', 'total')
local epoch, last, total = known[2], tonumber(known[3]), tonumber(known[4])
if known[1] ~= origin then
  epoch, last, total = ARGV[1], 0, 0
  redis.call('HSET', topic, 'origin', origin, 'epoch', epoch, 'last', 0, 'total', 0)
  redis.call('DEL', log)
end
local expire = function(key, afterMs)
  if tonumber(afterMs) < 1e300 then redis.call('PEXPIRE', key, afterMs) else redis.call('PERSIST', key) end
end
local trim = function()
  while true do
    local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
    if not oldest then return end
    local offset, fields = tonumber(string.match(oldest[1], '^%d+')), oldest[2]
    if offset > last - messages and tonumber(fields[2]) > now - ms and total - fields[4] <= bytes then return end
    redis.call('XTRIM', log, 'MINID', text(offset + 1))
  end
end
`

/** @returns the place of the message, as 'epoch offset' */
export const appendScript = `
local name = KEYS[3]
local earlier = name and redis.call('GET', name)
if earlier then return earlier end
${settle}
local message = ARGV[6]
local offset = text(last + 1)
redis.call('XADD', log, offset, 'time', text(now), 'before', text(total), 'message', message)
last, total = last + 1, total + #message
redis.call('HSET', topic, 'last', offset, 'total', text(total))
local place = epoch .. ' ' .. offset
if name then redis.call('SET', name, place, 'PX', ARGV[7]) end
trim()
expire(topic, forgetMs)
expire(log, ARGV[3])
redis.call(ARGV[8], ARGV[9], ARGV[10] .. place .. '\\n' .. message)
return place
`

/** @returns the epoch, the offset of the newest message, and the messages */
export const readScript = `
${settle}
trim()
expire(topic, forgetMs)
local from = '-'
if ARGV[6] == epoch then from = '(' .. ARGV[7] end
local reply = { epoch, text(last) }
for _, entry in ipairs(redis.call('XRANGE', log, from, '+')) do reply[#reply + 1] = entry[2][6] end
return reply
`
