// Keys and values in the cache, two numbers each time: keys as [head][pair][slot], so that threads
// with a slot each read side by side; values as [head][slot][pair].
fn key_at(head: u32, pair: u32, slot: u32) -> u32 { return (head * p.pairs + pair) * p.slots + slot; }
fn value_at(head: u32, slot: u32, pair: u32) -> u32 { return (head * p.slots + slot) * p.pairs + pair; }
