;; Calls itself for ever.
(component
  (core module $m
    (func $deep (param i32) (result i32) (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
    (func (export "deep") (drop (call $deep (i32.const 0)))))
  (core instance $i (instantiate $m))
  (func (export "deep") (canon lift (core func $i "deep"))))
