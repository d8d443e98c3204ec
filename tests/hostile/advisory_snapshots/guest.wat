;; Has bytes in its memory from the start and writes more, also where it grew; counts what it finds first.
(component
  (core module $m
    (memory 4 64)
    (data (i32.const 96) "planted")
    (data (i32.const 200000) "planted")
    (func (export "look") (result i32)
      (local $at i32) (local $count i32)
      (drop (memory.grow (i32.const 28)))
      (loop $next
        (local.set $count (i32.add (local.get $count) (i64.ne (i64.const 0) (i64.load (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 2097152))))
      (memory.fill (i32.const 0) (i32.const 0x5a) (i32.const 2097152))
      (local.get $count)))
  (core instance $i (instantiate $m))
  (func (export "look") (result u32) (canon lift (core func $i "look"))))
