-- Wireshark dissector of i3 and of the overlay multicast above it, wire format version 1. docs/wire.md explains the
-- bytes, and the names of fields follow it. It shows what is on the wire and judges only its form: whether a
-- constraint holds, a nonce is right or a sequence number makes sense is for the nodes and hosts to say.
--
--   wireshark -X lua_script:docs/i3.lua capture.pcap
--   tshark -X lua_script:docs/i3.lua -r capture.pcap -Y 'i3mc.type == 6'
--
-- Datagrams are recognized by magic and version on any UDP port that Wireshark has not given to another protocol (port
-- 3000 of the simulator belongs to DIS). Set the preference i3.port (-o i3.port:3000), or use Decode As, to have
-- everything on a port dissected, also what is too malformed to be recognized.

local i3 = Proto("i3", "Internet Indirection Infrastructure")
local i3mc = Proto("i3mc", "Overlay Multicast over i3")

local MAGIC, VERSION = 0x6933, 1
local HEADER, TEMPLATE, ENTRY, MAX_ENTRIES = 48, 40, 104, 13
local RING_HEAD, PLACE, MAX_NEAR, MAX_SUCC = 48, 32, 3, 16
local RING_FULL = RING_HEAD + (1 + MAX_NEAR + MAX_SUCC) * PLACE
local HAND_HEAD, MAX_HANDED = 32, 12
local TAG, MAX_TOKEN = 16, 64

local kinds = {[1] = "data", [2] = "direct", [3] = "insert", [4] = "remove", [5] = "challenge", [6] = "ack",
	[7] = "ring", [8] = "handover", [9] = "pushback"}
local targets = {[1] = "identifier", [2] = "host"}
local statuses = {[1] = "inserted", [2] = "refreshed", [3] = "probed", [4] = "removed", [5] = "missing",
	[6] = "full", [7] = "refused", [8] = "not owner", [9] = "no room"}
local ring_kinds = {[1] = "ask", [2] = "answer", [3] = "tell", [4] = "follow", [5] = "leave", [6] = "moved"}
local types = {[1] = "data", [2] = "heartbeat", [3] = "query", [4] = "reply", [5] = "refresh-ack", [6] = "request",
	[7] = "repair", [8] = "gone", [9] = "leaving", [10] = "adopt", [11] = "hint", [12] = "ask", [13] = "admit",
	[14] = "report", [15] = "echo", [16] = "rekey", [17] = "end"}
local metrics = {[0] = "delay", [1] = "bandwidth", [2] = "loss"}

-- The header of a packet.
local f = {
	version = ProtoField.uint8("i3.version", "Version", base.DEC, nil, 0xf0),
	kind = ProtoField.uint8("i3.kind", "Kind", base.DEC, kinds, 0x0f),
	magic = ProtoField.uint16("i3.magic", "Magic", base.HEX),
	reserved = ProtoField.bytes("i3.reserved", "Reserved, but not zero"),
	id = ProtoField.bytes("i3.id", "Identifier"),
	id_prefix = ProtoField.uint64("i3.id.prefix", "Prefix", base.HEX),
	id_public = ProtoField.bool("i3.id.public", "Public", 8, nil, 0x01),
	id_key = ProtoField.bytes("i3.id.key", "Key"),
	id_suffix = ProtoField.uint64("i3.id.suffix", "Suffix", base.HEX),
	hops = ProtoField.uint8("i3.hops", "Hop limit"),
	length = ProtoField.uint16("i3.length", "Payload length"),
	flow = ProtoField.uint32("i3.flow", "Flow", base.HEX),
	cookie = ProtoField.uint32("i3.cookie", "Cookie of the link", base.HEX),
	payload = ProtoField.bytes("i3.payload", "Payload"),
	padding = ProtoField.bytes("i3.padding", "Padding"),
	-- The entries of control packets.
	entry = ProtoField.none("i3.entry", "Entry"),
	trigger = ProtoField.string("i3.trigger", "Trigger"),
	trigger_id = ProtoField.bytes("i3.trigger.id", "Identifier"),
	target_kind = ProtoField.uint8("i3.trigger.kind", "Kind of target", base.DEC, targets),
	target_id = ProtoField.bytes("i3.trigger.target", "Target identifier"),
	target_ipv4 = ProtoField.ipv4("i3.trigger.ipv4", "Target address"),
	target_ipv6 = ProtoField.ipv6("i3.trigger.ipv6", "Target address"),
	target_port = ProtoField.uint16("i3.trigger.port", "Target port"),
	target_key = ProtoField.bytes("i3.trigger.key", "Target key"),
	probe = ProtoField.bool("i3.probe", "Probe", 8, nil, 0x01),
	nonce = ProtoField.bytes("i3.nonce", "Nonce"),
	owner = ProtoField.bytes("i3.owner", "Owner"),
	status = ProtoField.uint8("i3.status", "Status", base.DEC, statuses),
	count = ProtoField.uint16("i3.count", "Triggers of the identifier"),
	limit = ProtoField.uint16("i3.limit", "Limit of triggers"),
	lifetime = ProtoField.uint32("i3.lifetime", "Lifetime in ms"),
	epoch = ProtoField.uint32("i3.epoch", "Epoch of the node"),
	range_lo = ProtoField.uint64("i3.range.lo", "Range above", base.HEX),
	range_hi = ProtoField.uint64("i3.range.hi", "Range up to", base.HEX),
	-- The messages of ring packets.
	ring_kind = ProtoField.uint8("i3.ring.kind", "Kind of message", base.DEC, ring_kinds),
	ring_nears = ProtoField.uint8("i3.ring.nears", "Number of near ones"),
	ring_succs = ProtoField.uint8("i3.ring.succs", "Number of successors"),
	ring_member = ProtoField.bool("i3.ring.member", "Sender is a member", 8, nil, 0x01),
	ring_prefix = ProtoField.uint64("i3.ring.prefix", "Prefix asked about", base.HEX),
	ring_self = ProtoField.string("i3.ring.self", "Sender"),
	ring_pred = ProtoField.string("i3.ring.pred", "Predecessor"),
	ring_near = ProtoField.string("i3.ring.near", "Near before the prefix"),
	ring_succ = ProtoField.string("i3.ring.succ", "Successor"),
	ring_room = ProtoField.bytes("i3.ring.room", "Room"),
	place_prefix = ProtoField.uint64("i3.ring.place.prefix", "Prefix", base.HEX),
	place_ipv4 = ProtoField.ipv4("i3.ring.place.ipv4", "Address"),
	place_ipv6 = ProtoField.ipv6("i3.ring.place.ipv6", "Address"),
	place_port = ProtoField.uint16("i3.ring.place.port", "Port"),
	-- Handover packets; their entries have the trigger, owner and lifetime of control packets.
	hand_bring = ProtoField.bool("i3.handover.bring", "Brings triggers", 8, nil, 0x01),
	hand_more = ProtoField.bool("i3.handover.more", "There are more", 8, nil, 0x01),
	hand_count = ProtoField.uint8("i3.handover.count", "Number of triggers"),
	hand_cursor = ProtoField.uint64("i3.handover.cursor", "Cursor", base.HEX),
	-- Mirror messages are handover packets, too.
	mirror_bring = ProtoField.bool("i3.mirror.bring", "Brings what has changed"),
	mirror_pass = ProtoField.bool("i3.mirror.pass", "Pass through all triggers", 8, nil, 0x01),
	mirror_more = ProtoField.bool("i3.mirror.more", "There are more changes", 8, nil, 0x02),
	mirror_lost = ProtoField.bool("i3.mirror.lost", "Changes are forgotten", 8, nil, 0x04),
	mirror_serial = ProtoField.uint64("i3.mirror.serial", "Serial number of the next change", base.HEX),
}
i3.fields = f

-- The messages of the multicast.
local m = {
	type = ProtoField.uint8("i3mc.type", "Type", base.DEC, types),
	flags = ProtoField.uint8("i3mc.flags", "Flags", base.HEX),
	full = ProtoField.bool("i3mc.full", "Sender is full", 8, nil, 0x01),
	owner = ProtoField.bool("i3mc.owner", "Sender owns the identifier", 8, nil, 0x02),
	probed = ProtoField.bool("i3mc.probed", "Another member lost it too", 8, nil, 0x04),
	more = ProtoField.bool("i3mc.more", "Sender answers for another identifier too", 8, nil, 0x08),
	level = ProtoField.uint16("i3mc.level", "Level"),
	epoch = ProtoField.uint32("i3mc.epoch", "Epoch of the source"),
	seq = ProtoField.uint64("i3mc.seq", "Sequence number"),
	time = ProtoField.int64("i3mc.time", "Sender's clock in ns"),
	payload = ProtoField.bytes("i3mc.payload", "Application payload"),
	ipv4 = ProtoField.ipv4("i3mc.host.ipv4", "Host to answer"),
	ipv6 = ProtoField.ipv6("i3mc.host.ipv6", "Host to answer"),
	port = ProtoField.uint16("i3mc.host.port", "Port to answer"),
	padding = ProtoField.bytes("i3mc.padding", "Padding"),
	id = ProtoField.bytes("i3mc.id", "Identifier"),
	distance = ProtoField.int64("i3mc.distance", "Source distance in ns"),
	clock = ProtoField.int64("i3mc.clock", "Source clock less sender clock (ns)"),
	metric = ProtoField.uint8("i3mc.metric", "Metric", base.DEC, metrics),
	value = ProtoField.uint32("i3mc.value", "kbit/s, or packets lost of a million"),
	group = ProtoField.bytes("i3mc.group", "Group asked"),
	target = ProtoField.bytes("i3mc.target", "Subtree that lost it"),
	secret = ProtoField.bytes("i3mc.secret", "Secret of the link's owner"),
	tagged = ProtoField.bool("i3mc.tagged", "Message ends in a tag", 8, nil, 0x80),
	tag = ProtoField.bytes("i3mc.tag", "Tag"),
	key = ProtoField.bytes("i3mc.key", "Public key"),
	token = ProtoField.bytes("i3mc.token", "Token"),
	nonce = ProtoField.bytes("i3mc.nonce", "Nonce"),
	box = ProtoField.bytes("i3mc.box", "Sealed identifier and key"),
	chain = ProtoField.bytes("i3mc.chain", "Identifier of the new chain"),
}
i3mc.fields = m

local malformed = ProtoExpert.new("i3.malformed", "Malformed i3", expert.group.MALFORMED, expert.severity.ERROR)
local cut = ProtoExpert.new("i3.cut", "Not captured whole", expert.group.UNDECODED, expert.severity.NOTE)
i3.experts = {malformed, cut}
local bad_message = ProtoExpert.new("i3mc.malformed", "Malformed multicast message", expert.group.MALFORMED,
	expert.severity.ERROR)
i3mc.experts = {bad_message}

i3.prefs.port = Pref.uint("UDP port", 0, "Dissect everything on this port; 0 for none. Others go by magic and version.")
i3.prefs.multicast = Pref.bool("Payloads are multicast messages", true,
	"Dissect the payloads of data and direct packets as messages of the overlay multicast.")

-- zero reports whether so many bytes are zero.
local function zero(tvb, offset, length)
	for i = offset, offset + length - 1 do
		if tvb(i, 1):uint() ~= 0 then return false end
	end
	return true
end

-- reserve shows reserved bytes that are not zero, and says so.
local function reserve(tvb, offset, length, tree)
	if zero(tvb, offset, length) then return nil end
	tree:add(f.reserved, tvb(offset, length))
	return "reserved bytes are not zero"
end

-- read_address reads an address of 16 bytes, IPv4 when mapped, and a port. It returns the bytes to show, whether they
-- are IPv4, the address in words, and what is wrong with it if no packet may be sent there.
local function read_address(tvb, offset, port_offset)
	local number = tvb(port_offset, 2):uint()
	local range, v4, words, bad = tvb(offset, 16), false, nil, nil
	if zero(tvb, offset, 10) and tvb(offset + 10, 2):uint() == 0xffff then
		range, v4 = tvb(offset + 12, 4), true
		words = tostring(range:ipv4())
		local first = tvb(offset + 12, 1):uint()
		bad = range:uint() == 0 or range:uint() == 0xffffffff or first >= 224 and first < 240
	else
		words = "[" .. tostring(range:ipv6()) .. "]"
		bad = zero(tvb, offset, 16) or tvb(offset, 1):uint() == 0xff
	end
	return range, v4, words .. ":" .. number, (bad or number == 0) and "no packet may be sent to the address" or nil
end

-- show_address adds an address and a port. It returns what is wrong with it.
local function show_address(tvb, offset, port_offset, tree, ipv4, ipv6, port)
	local range, v4, _, bad = read_address(tvb, offset, port_offset)
	tree:add(v4 and ipv4 or ipv6, range)
	tree:add(port, tvb(port_offset, 2))
	return bad
end

-- trigger_words returns the trigger at offset as the paper writes it.
local function trigger_words(tvb, offset)
	local kind, target = tvb(offset + 64, 1):uint(), "?"
	if kind == 1 then
		target = tvb(offset + 32, 32):bytes():tohex(true)
	elseif kind == 2 then
		local _, _, words = read_address(tvb, offset + 32, offset + 66)
		target = words
	end
	return "(" .. tvb(offset, 32):bytes():tohex(true) .. ", " .. target .. ")"
end

-- show_target adds the target of the trigger at offset. It returns what is wrong with it.
local function show_target(tvb, offset, tree)
	local kind = tvb(offset + 64, 1):uint()
	tree:add(f.target_kind, tvb(offset + 64, 1))
	if kind == 1 then
		tree:add(f.target_id, tvb(offset + 32, 32))
		return reserve(tvb, offset + 66, 2, tree)
	elseif kind == 2 then
		tree:add(f.target_key, tvb(offset + 48, 16))
		return show_address(tvb, offset + 32, offset + 66, tree, f.target_ipv4, f.target_ipv6, f.target_port)
	end
	return "target is neither an identifier nor a host"
end

-- show_ack adds what an acknowledgement has behind its trigger. It returns what is wrong with it.
local function show_ack(tvb, offset, tree)
	tree:add(f.status, tvb(offset + 72, 1))
	tree:add(f.count, tvb(offset + 74, 2))
	tree:add(f.limit, tvb(offset + 76, 2))
	tree:add(f.lifetime, tvb(offset + 80, 4))
	tree:add(f.epoch, tvb(offset + 84, 4))
	tree:add(f.range_lo, tvb(offset + 88, 8))
	tree:add(f.range_hi, tvb(offset + 96, 8))
	local bad = reserve(tvb, offset + 65, 1, tree) or reserve(tvb, offset + 73, 1, tree) or
		reserve(tvb, offset + 78, 2, tree)
	if not statuses[tvb(offset + 72, 1):uint()] then return "unknown status" end
	return bad
end

-- show_entry adds the entry at offset of a packet of the given kind. It returns what is wrong with it, if anything.
local function show_entry(tvb, offset, kind, parent)
	local tree = parent:add(f.entry, tvb(offset, ENTRY))
	local text = trigger_words(tvb, offset)
	tree:set_text("Entry: " .. text)
	local trigger = tree:add(f.trigger, tvb(offset, 72), text)
	trigger:add(f.trigger_id, tvb(offset, 32))
	local bad = show_target(tvb, offset, trigger)
	bad = reserve(tvb, offset + 68, 4, tree) or bad
	if kind == "ack" then return show_ack(tvb, offset, tree) or bad end
	tree:add(f.nonce, tvb(offset + 72, 16))
	if kind == "challenge" then
		return reserve(tvb, offset + 65, 1, tree) or reserve(tvb, offset + 88, 16, tree) or bad
	end
	tree:add(f.probe, tvb(offset + 65, 1))
	tree:add(f.owner, tvb(offset + 88, 16))
	local flags = tvb(offset + 65, 1):uint()
	if flags > 1 then return reserve(tvb, offset + 65, 1, tree) end
	return flags == 1 and kind == "remove" and "a removal is no probe" or bad
end

-- show_entries adds the entries of a control packet. It returns how many there are, and what is wrong with the first
-- bad one, behind which receivers read no further.
local function show_entries(tvb, offset, length, kind, tree)
	if length == 0 or length % ENTRY ~= 0 or length > MAX_ENTRIES * ENTRY then
		return 0, "payload is not a whole number of entries, or holds too many"
	end
	for i = 0, length / ENTRY - 1 do
		local bad = show_entry(tvb, offset + i * ENTRY, kind, tree)
		if bad then return i + 1, bad end
	end
	return length / ENTRY, nil
end

-- show_handed adds the entry at offset of a handover packet. It returns what is wrong with it.
local function show_handed(tvb, offset, parent)
	local tree = parent:add(f.entry, tvb(offset, ENTRY))
	local text = trigger_words(tvb, offset)
	tree:set_text("Entry: " .. text)
	local trigger = tree:add(f.trigger, tvb(offset, 72), text)
	trigger:add(f.trigger_id, tvb(offset, 32))
	local bad = show_target(tvb, offset, trigger)
	tree:add(f.owner, tvb(offset + 72, 16))
	tree:add(f.lifetime, tvb(offset + 88, 4))
	return reserve(tvb, offset + 65, 1, tree) or reserve(tvb, offset + 68, 4, tree) or
		reserve(tvb, offset + 92, 12, tree) or bad
end

-- show_triggers adds the entries behind a head, and what is left behind them. It returns what is wrong with them.
local function show_triggers(tvb, offset, length, count, tree)
	local rest = offset + HAND_HEAD
	for _ = 1, count do
		local bad = show_handed(tvb, rest, tree)
		if bad then return bad end
		rest = rest + ENTRY
	end
	return reserve(tvb, rest, offset + length - rest, tree)
end

-- show_mirror adds the payload of a handover packet that is a mirror message. It returns the same.
local function show_mirror(tvb, offset, length, tree)
	local does = tvb(offset, 1):uint() == 3 and "mirror" or "ask mirror"
	local room = (length - HAND_HEAD) / ENTRY
	if length < HAND_HEAD or room ~= math.floor(room) or room > MAX_HANDED then
		return does, "payload is not a head and a whole number of entries"
	end
	local flags, count = tvb(offset + 1, 1):uint(), tvb(offset + 2, 1):uint()
	tree:add(f.mirror_bring, tvb(offset, 1), tvb(offset, 1):uint() == 3)
	tree:add(f.mirror_pass, tvb(offset + 1, 1))
	tree:add(f.mirror_more, tvb(offset + 1, 1))
	tree:add(f.mirror_lost, tvb(offset + 1, 1))
	tree:add(f.hand_count, tvb(offset + 2, 1))
	tree:add(f.mirror_serial, tvb(offset + 8, 8))
	tree:add(f.hand_cursor, tvb(offset + 16, 8))
	tree:add(f.epoch, tvb(offset + 24, 4))
	local bad = reserve(tvb, offset + 3, 5, tree) or reserve(tvb, offset + 28, 4, tree)
	if tvb(offset, 1):uint() > 3 or flags > 7 or does ~= "mirror" and (flags > 1 or count > 0) or
		does == "mirror" and count ~= room then
		bad = "kind, flags or number of triggers that cannot be"
	end
	return does, bad or show_triggers(tvb, offset, length, count, tree)
end

-- show_handover adds the payload of a handover packet. It returns what it does in words, and what is wrong with it.
local function show_handover(tvb, offset, length, tree)
	if length > 0 and tvb(offset, 1):uint() > 1 then return show_mirror(tvb, offset, length, tree) end
	if length ~= HAND_HEAD + MAX_HANDED * ENTRY then return "unknown", "payload is not as long as all are" end
	local bring, more, count = tvb(offset, 1):uint(), tvb(offset + 1, 1):uint(), tvb(offset + 2, 1):uint()
	tree:add(f.hand_bring, tvb(offset, 1))
	tree:add(f.hand_more, tvb(offset + 1, 1))
	tree:add(f.hand_count, tvb(offset + 2, 1))
	tree:add(f.hand_cursor, tvb(offset + 8, 8))
	tree:add(f.range_lo, tvb(offset + 16, 8))
	tree:add(f.range_hi, tvb(offset + 24, 8))
	local bad = reserve(tvb, offset + 3, 5, tree)
	if bring > 1 or more > 1 or count > MAX_HANDED or count > 0 and bring == 0 then
		bad = "flags or number of triggers that cannot be"
	end
	local does = bring == 1 and "bring" or more == 1 and "offer" or "ask"
	return does, bad or show_triggers(tvb, offset, length, count, tree)
end

-- show_place adds the place at offset as the given field. It returns what is wrong with it, and whether it is nobody.
local function show_place(tvb, offset, field, parent)
	if zero(tvb, offset, PLACE) then
		parent:add(field, tvb(offset, PLACE), "nobody")
		return nil, true
	end
	local _, _, words = read_address(tvb, offset + 8, offset + 24)
	local tree = parent:add(field, tvb(offset, PLACE), tvb(offset, 8):bytes():tohex(true) .. " at " .. words)
	tree:add(f.place_prefix, tvb(offset, 8))
	local bad = show_address(tvb, offset + 8, offset + 24, tree, f.place_ipv4, f.place_ipv6, f.place_port)
	return reserve(tvb, offset + 26, 6, tree) or bad, false
end

-- show_places adds the places of an answer, of which the last end in room. It returns where they end, and what is wrong
-- with the first bad one.
local function show_places(tvb, offset, room, near, succ, tree)
	if room == 0 then return offset, nil end
	local bad = show_place(tvb, offset, f.ring_pred, tree)
	for i = 1, near + succ do
		if bad then break end
		local nobody
		bad, nobody = show_place(tvb, offset + i * PLACE, i <= near and f.ring_near or f.ring_succ, tree)
		if nobody then bad = "a near one or successor is nobody" end
	end
	return offset + (1 + near + succ) * PLACE, bad
end

-- show_ring adds the message of a ring packet. It returns its kind in words, and what is wrong with it.
local function show_ring(tvb, offset, length, tree)
	if length < RING_HEAD then return "unknown", "message ends before its first place" end
	local name, near, succ = ring_kinds[tvb(offset, 1):uint()], tvb(offset + 1, 1):uint(), tvb(offset + 2, 1):uint()
	tree:add(f.ring_kind, tvb(offset, 1))
	tree:add(f.ring_nears, tvb(offset + 1, 1))
	tree:add(f.ring_succs, tvb(offset + 2, 1))
	tree:add(f.ring_member, tvb(offset + 3, 1))
	tree:add(f.ring_prefix, tvb(offset + 8, 8))
	local bad = reserve(tvb, offset + 4, 4, tree)
	local room = math.floor((length - RING_HEAD) / PLACE)
	if not name then
		return "unknown", "unknown kind of message"
	elseif tvb(offset + 3, 1):uint() > 1 then
		bad = "member is neither 0 nor 1"
	elseif near > MAX_NEAR or succ > MAX_SUCC or near + succ > 0 and 1 + near + succ > room then
		bad = "more places than there may be, or than there is room for"
	elseif name ~= "ask" and name ~= "answer" and length < RING_FULL then
		bad = "shorter than the question by which that is checked"
	end
	if not bad then
		local nobody
		bad, nobody = show_place(tvb, offset + 16, f.ring_self, tree)
		if nobody and name ~= "ask" then bad = "the sender is nobody" end
	end
	local rest = offset + RING_HEAD
	if name == "answer" and not bad then rest, bad = show_places(tvb, rest, room, near, succ, tree) end
	if not bad and rest < offset + length then tree:add(f.ring_room, tvb(rest, offset + length - rest)) end
	return name, bad
end

-- bodies shows the body of each type of message, given where it is, and returns what is wrong. length is what the type
-- asks for; without it the body is the application's.
local function show_id(tvb, offset, _, tree) tree:add(m.id, tvb(offset, 32)) end
local function show_nothing() end
local function show_payload(tvb, offset, length, tree)
	if length > 0 then tree:add(m.payload, tvb(offset, length)) end
end

local bodies = {
	data = {show = show_payload},
	heartbeat = {length = 0, show = show_nothing},
	query = {length = 48, show = function(tvb, offset, _, tree)
		local bad = show_address(tvb, offset, offset + 16, tree, m.ipv4, m.ipv6, m.port)
		tree:add(m.metric, tvb(offset + 18, 1))
		tree:add(m.padding, tvb(offset + 19, 29))
		if tvb(offset + 18, 1):uint() > 2 then return "unknown metric" end
		return not zero(tvb, offset + 19, 29) and "padding is not zero" or bad
	end},
	reply = {length = 48, show = function(tvb, offset, _, tree)
		tree:add(m.id, tvb(offset, 32))
		tree:add(m.distance, tvb(offset + 32, 8))
		tree:add(m.clock, tvb(offset + 40, 8))
	end},
	report = {length = 48, show = function(tvb, offset, _, tree)
		tree:add(m.id, tvb(offset, 32))
		tree:add(m.distance, tvb(offset + 32, 8))
		tree:add(m.metric, tvb(offset + 40, 1))
		local value = tree:add(m.value, tvb(offset + 44, 4))
		local metric, n = tvb(offset + 40, 1):uint(), tvb(offset + 44, 4):uint()
		if n == 0xffffffff then value:append_text(" (unknown)") end
		if not zero(tvb, offset + 41, 3) then return "reserved bytes are not zero" end
		if metric ~= 1 and metric ~= 2 then return "unknown metric" end
		return metric == 2 and n > 1000000 and n ~= 0xffffffff and "more than all is lost" or nil
	end},
	echo = {length = 952, show = function(tvb, offset, _, tree)
		tree:add(m.padding, tvb(offset, 952))
		return not zero(tvb, offset, 952) and "padding is not zero" or nil
	end},
	["refresh-ack"] = {length = 32, show = show_id},
	request = {length = 82, show = function(tvb, offset, _, tree)
		tree:add(m.group, tvb(offset, 32))
		local target = tree:add(m.target, tvb(offset + 32, 32))
		if zero(tvb, offset + 32, 32) then target:append_text(" (none: the requester alone)") end
		return show_address(tvb, offset + 64, offset + 80, tree, m.ipv4, m.ipv6, m.port)
	end},
	repair = {show = show_payload},
	gone = {length = 0, show = show_nothing},
	["end"] = {length = 0, show = show_nothing},
	leaving = {length = 48, show = function(tvb, offset, _, tree)
		tree:add(m.id, tvb(offset, 32))
		tree:add(m.secret, tvb(offset + 32, 16))
	end},
	adopt = {length = 32, show = show_id},
	hint = {length = 32, show = show_id},
	ask = {length = 128, untagged = true, show = function(tvb, offset, _, tree)
		tree:add(m.key, tvb(offset, 32))
		local bad, n = show_address(tvb, offset + 32, offset + 48, tree, m.ipv4, m.ipv6, m.port), tvb(offset + 50, 1):uint()
		if n > MAX_TOKEN then return "token is too long" end
		if n > 0 then tree:add(m.token, tvb(offset + 52, n)) end
		if not zero(tvb, offset + 51, 1) or not zero(tvb, offset + 52 + n, 76 - n) then return "padding is not zero" end
		return bad
	end},
	admit = {length = 128, untagged = true, show = function(tvb, offset, _, tree)
		tree:add(m.key, tvb(offset, 32))
		tree:add(m.nonce, tvb(offset + 32, 12))
		tree:add(m.box, tvb(offset + 44, 80))
		return not zero(tvb, offset + 124, 4) and "padding is not zero" or nil
	end},
	rekey = {show = function(tvb, offset, length, tree)
		if length % 32 ~= 0 or length < 3 * 32 or length > 33 * 32 then
			return "body is not as long as the type asks for"
		end
		tree:add(m.id, tvb(offset, 32))
		for at = 32, length - 32, 32 do tree:add(m.chain, tvb(offset + at, 32)) end
	end},
}

-- show_message adds the message at offset. It returns words for the info column.
local function show_message(tvb, offset, length, root)
	local tree = root:add(i3mc, tvb(offset, length))
	if length < 24 then
		tree:add_proto_expert_info(bad_message, "message ends before its header")
		return "malformed"
	end
	local name = types[tvb(offset, 1):uint()]
	tree:add(m.type, tvb(offset, 1))
	local flags = tree:add(m.flags, tvb(offset + 1, 1))
	flags:add(m.full, tvb(offset + 1, 1))
	flags:add(m.owner, tvb(offset + 1, 1))
	flags:add(m.probed, tvb(offset + 1, 1))
	flags:add(m.more, tvb(offset + 1, 1))
	flags:add(m.tagged, tvb(offset + 1, 1))
	tree:add(m.level, tvb(offset + 2, 2))
	tree:add(m.epoch, tvb(offset + 4, 4))
	tree:add(m.seq, tvb(offset + 8, 8))
	tree:add(m.time, tvb(offset + 16, 8))
	local body, bad, tag = bodies[name], nil, tvb(offset + 1, 1):bitfield(0, 1) * TAG
	if not name then
		bad = "unknown type"
	elseif tvb(offset + 1, 1):bitfield(1, 3) ~= 0 then
		bad = "unknown flags"
	elseif tag > 0 and body.untagged then
		bad = "messages of the type have no tag"
	elseif length - 24 < tag then
		bad = "message ends before its tag"
	elseif body.length and length - 24 - tag ~= body.length then
		bad = "body is not as long as the type asks for"
	else
		bad = body.show(tvb, offset + 24, length - 24 - tag, tree)
		if tag > 0 then tree:add(m.tag, tvb(offset + length - tag, tag)) end
	end
	local words = (name or "unknown") .. " seq=" .. tostring(tvb(offset + 8, 8):uint64())
	tree:append_text(": " .. words)
	if bad then
		tree:add_proto_expert_info(bad_message, bad)
		return words .. " malformed"
	end
	return words
end

-- show_header adds the header at offset. It returns the name of the packet's kind, and what is wrong.
local function show_header(tvb, offset, tree)
	tree:add(f.version, tvb(offset, 1))
	tree:add(f.kind, tvb(offset, 1))
	tree:add(f.magic, tvb(offset + 2, 2))
	local id = tree:add(f.id, tvb(offset + 8, 32))
	id:add(f.id_prefix, tvb(offset + 8, 8))
	id:add(f.id_public, tvb(offset + 15, 1))
	id:add(f.id_key, tvb(offset + 16, 16))
	id:add(f.id_suffix, tvb(offset + 32, 8))
	tree:add(f.hops, tvb(offset + 40, 1))
	tree:add(f.length, tvb(offset + 42, 2))
	tree:add(f.flow, tvb(offset + 44, 4))
	local name = kinds[tvb(offset, 1):bitfield(4, 4)]
	local bad = reserve(tvb, offset + 1, 1, tree) or reserve(tvb, offset + TEMPLATE + 1, 1, tree)
	if name == "data" then
		tree:add(f.cookie, tvb(offset + 4, 4))
	else
		bad = reserve(tvb, offset + 4, 4, tree) or bad
	end
	if tvb(offset + 2, 2):uint() ~= MAGIC then
		bad = "not the magic of i3"
	elseif tvb(offset, 1):bitfield(0, 4) ~= VERSION then
		bad = "version is not " .. VERSION
	elseif not name then
		bad = "unknown kind"
	end
	return name or "unknown", bad
end

-- show_packet adds the packet at offset. It returns how long it is, or nil where nothing behind it can be read, and
-- words for the info column.
local function show_packet(tvb, offset, root)
	local left = tvb:len() - offset
	local tree = root:add(i3, tvb(offset, math.min(left, HEADER)))
	local function stop(words, why)
		if tvb:len() < tvb:reported_len() then
			tree:add_proto_expert_info(cut)
			return nil, words .. " cut short"
		end
		tree:add_proto_expert_info(malformed, why)
		return nil, words .. " malformed"
	end
	if left < HEADER then return stop("packet", "packet ends before its header") end
	local name, bad = show_header(tvb, offset, tree)
	tree:append_text(": " .. name)
	if bad then return stop(name, bad) end
	local length = tvb(offset + 42, 2):uint()
	if left < HEADER + length then return stop(name, "packet ends before its payload") end
	tree:set_len(HEADER + length)
	if name == "data" or name == "direct" then
		if length > 0 then tree:add(f.payload, tvb(offset + HEADER, length)) end
		if i3.prefs.multicast then
			name = name .. " (" .. show_message(tvb, offset + HEADER, length, root) .. ")"
		end
		return HEADER + length, name
	end
	if name == "ring" then
		local kind, wrong = show_ring(tvb, offset + HEADER, length, tree)
		if wrong then tree:add_proto_expert_info(malformed, wrong) end
		return HEADER + length, name .. " (" .. kind .. (wrong and ") malformed" or ")")
	end
	if name == "handover" then
		local does, wrong = show_handover(tvb, offset + HEADER, length, tree)
		if wrong then tree:add_proto_expert_info(malformed, wrong) end
		return HEADER + length, name .. " (" .. does .. (wrong and ") malformed" or ")")
	end
	if name == "pushback" then
		if length > 0 then tree:add_proto_expert_info(malformed, "a pushback has no payload") end
		return HEADER + length, length > 0 and name .. " malformed" or name
	end
	local n, wrong = show_entries(tvb, offset + HEADER, length, name, tree)
	if wrong then
		tree:add_proto_expert_info(malformed, wrong)
		return HEADER + length, name .. " malformed"
	end
	return HEADER + length, n == 1 and name or name .. " x " .. n
end

-- show_padding adds what follows the last packet.
local function show_padding(tvb, offset, root)
	local length = tvb:len() - offset
	local tree = root:add(i3, tvb(offset, length))
	tree:append_text(": " .. length .. " bytes of padding")
	tree:add(f.padding, tvb(offset, length))
	if not zero(tvb, offset, length) then
		tree:add_proto_expert_info(malformed, "padding is not zero")
		return "padding malformed"
	end
	return "padding"
end

function i3.dissector(tvb, pinfo, root)
	pinfo.cols.protocol = "i3"
	local words, offset = {}, 0
	while offset and offset < tvb:len() do
		local used, text
		if tvb(offset, 1):uint() == 0 then
			text = show_padding(tvb, offset, root)
		else
			used, text = show_packet(tvb, offset, root)
		end
		words[#words + 1] = text
		offset = used and offset + used
	end
	pinfo.cols.info = table.concat(words, ", ")
	return tvb:len()
end

-- recognize takes a datagram on any port that begins as a packet of this version does, and then the whole conversation.
local function recognize(tvb, pinfo, root)
	if tvb:len() < HEADER or tvb(2, 2):uint() ~= MAGIC or tvb(0, 1):bitfield(0, 4) ~= VERSION then return false end
	pinfo.conversation = i3
	i3.dissector(tvb, pinfo, root)
	return true
end
i3:register_heuristic("udp", recognize)

local ports = DissectorTable.get("udp.port")
ports:add_for_decode_as(i3)

local port = 0
function i3.prefs_changed()
	if port == i3.prefs.port then return end
	if port ~= 0 then ports:remove(port, i3) end
	port = i3.prefs.port
	if port ~= 0 then ports:add(port, i3) end
end
