;; Fills, copies and grows tables over and over: few instructions, each of them long; then counts what is in them.
(component
  (core module $m
    (table $t 8000 funcref)
    (table $u 8000 funcref)
    (elem declare func $f)
    (func $f)
    (func (export "run") (param $rounds i32) (result i32)
      (local $at i32) (local $count i32)
      (loop $again
        (table.fill $t (i32.const 0) (ref.func $f) (i32.const 8000))
        (table.copy $u $t (i32.const 0) (i32.const 0) (i32.const 8000))
        (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 7999))
        (drop (table.grow $u (ref.func $f) (i32.const 1)))
        (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
        (br_if $again (local.get $rounds)))
      (loop $next
        (local.set $count (i32.add (local.get $count) (i32.eqz (ref.is_null (table.get $u (local.get $at))))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $at) (table.size $u))))
      (local.get $count)))
  (core instance $i (instantiate $m))
  (func (export "run") (param "rounds" u32) (result u32) (canon lift (core func $i "run"))))
