;; Lends one thing to another component as often as it is told, in one call; what is lent is never given back.
(component
  (component $keeper
    (type $kept (resource (rep i32)))
    (export $thing "thing" (type $kept))
    (core func $new (canon resource.new $kept))
    (core module $m
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 7))))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $thing)) (canon lift (core func $i "make"))))
  (component $user
    (import "thing" (type $thing (sub resource)))
    (core module $m
      (memory (export "memory") 100)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
      (func (export "use") (param i32 i32) (result i32) (local.get 1)))
    (core instance $i (instantiate $m))
    (func (export "use") (param "things" (list (borrow $thing))) (result u32)
      (canon lift (core func $i "use") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $giver
    (import "thing" (type $thing (sub resource)))
    (import "make" (func $make (result (own $thing))))
    (import "use" (func $use (param "things" (list (borrow $thing))) (result u32)))
    (core module $room (memory (export "memory") 100))
    (core instance $room (instantiate $room))
    (alias core export $room "memory" (core memory $memory))
    (core func $make (canon lower (func $make)))
    (core func $use (canon lower (func $use) (memory $memory)))
    (core module $m
      (import "" "memory" (memory 100))
      (import "" "make" (func $make (result i32)))
      (import "" "use" (func $use (param i32 i32) (result i32)))
      (func (export "lend") (param $count i32) (result i32)
        (local $thing i32) (local $at i32)
        (local.set $thing (call $make))
        (block $all (loop $more
          (br_if $all (i32.ge_u (local.get $at) (local.get $count)))
          (i32.store (i32.shl (local.get $at) (i32.const 2)) (local.get $thing))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $more)))
        (call $use (i32.const 0) (local.get $count))))
    (core instance $i (instantiate $m (with "" (instance
      (export "memory" (memory $memory))
      (export "make" (func $make))
      (export "use" (func $use))))))
    (func (export "lend") (param "count" u32) (result u32) (canon lift (core func $i "lend"))))
  (instance $keeper (instantiate $keeper))
  (alias export $keeper "thing" (type $thing))
  (instance $user (instantiate $user (with "thing" (type $thing))))
  (instance $giver (instantiate $giver
    (with "thing" (type $thing))
    (with "make" (func $keeper "make"))
    (with "use" (func $user "use"))))
  (export "lend" (func $giver "lend")))
