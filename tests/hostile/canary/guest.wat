;; Looks for bytes of an earlier call in its memory and globals, then leaves its own.
(component
  (core module $m
    (memory 32)
    (global $mark (mut i32) (i32.const 0))
    (func (export "look") (result i32)
      (local $at i32) (local $found i32)
      (local.set $found (global.get $mark))
      (loop $next
        (local.set $found (i32.or (local.get $found) (i32.load (local.get $at))))
        (i32.store (local.get $at) (i32.const 0x5eC4e7))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 2097152))))
      (global.set $mark (i32.const 1))
      (local.get $found)))
  (core instance $i (instantiate $m))
  (func (export "look") (result u32) (canon lift (core func $i "look"))))
