;; Calls on and on without coming back, with more and with fewer arguments, and crashes at the end of it.
(component
  (core module $m
    (memory 1)
    (table funcref (elem $few))
    (type $few (func (param i32 i32) (result i32)))
    (func $few (type $few) (param $left i32) (param $way i32) (result i32)
      (if (i32.eqz (local.get $left)) (then (return_call $end (local.get $way))))
      (return_call $many (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6)
        (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10)
        (i32.sub (local.get $left) (i32.const 1)) (local.get $way)))
    (func $many (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (param $left i32) (param $way i32) (result i32)
      (return_call_indirect (type $few) (local.get $left) (local.get $way) (i32.const 0)))
    (func $end (param $way i32) (result i32)
      (block $well (block $deep (block $zero (block $outside (block $crash
        (br_table $crash $outside $zero $deep $well (local.get $way)))
        unreachable)
        (return (i32.load (i32.const -4))))
        (return (i32.div_u (i32.const 1) (i32.sub (local.get $way) (i32.const 2)))))
        (return (call $down (local.get $way))))
      (i32.const 42))
    (func $down (param i32) (result i32) (i32.add (i32.const 1) (call $down (local.get 0))))
    (func (export "run") (param $left i32) (param $way i32) (result i32)
      ;; One frame that is left, below those that are not.
      (i32.add (i32.const 0) (call $few (local.get $left) (local.get $way)))))
  (core instance $i (instantiate $m))
  (func (export "run") (param "calls" u32) (param "way" u32) (result u32) (canon lift (core func $i "run"))))
