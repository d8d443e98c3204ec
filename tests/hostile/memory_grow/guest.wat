;; Grows page by page until it may not, touches each page, and tells how many it got.
(component
  (core module $m
    (memory 1)
    (func (export "grow") (result i32)
      (local $page i32)
      (loop $more
        (local.set $page (memory.grow (i32.const 1)))
        (if (i32.ne (local.get $page) (i32.const -1))
          (then
            (i32.store (i32.mul (local.get $page) (i32.const 65536)) (i32.const 1))
            (br $more))))
      (memory.size)))
  (core instance $i (instantiate $m))
  (func (export "grow") (result u32) (canon lift (core func $i "grow"))))
