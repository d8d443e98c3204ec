;; Returns a text of 200 MiB that it never wrote.
(component
  (core module $m
    (memory (export "memory") 3300)
    (func (export "much") (result i32)
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 209715200))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "much") (result string)
    (canon lift (core func $i "much") (memory (core memory $i "memory")))))
