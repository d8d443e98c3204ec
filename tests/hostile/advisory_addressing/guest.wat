;; Reads at a shifted index: the shift wraps at 32 bits, and an address with the lost bits lies far outside.
(component
  (core module $m
    (memory 1 1)
    (func $fill
      (local $at i32)
      (loop $more
        (i32.store (local.get $at) (local.get $at))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if $more (i32.lt_u (local.get $at) (i32.const 4096)))))
    (start $fill)
    ;; Each word is its own address. The shift is a constant, so that it can become part of the access.
    (func (export "read") (param $at i32) (param $by i32) (result i32)
      (if (i32.eq (local.get $by) (i32.const 1)) (then (return (i32.add
        (i32.load (i32.shl (local.get $at) (i32.const 1)))
        (i32.load offset=16 (i32.shl (local.get $at) (i32.const 1)))))))
      (if (i32.eq (local.get $by) (i32.const 2)) (then (return (i32.add
        (i32.load (i32.shl (local.get $at) (i32.const 2)))
        (i32.load offset=16 (i32.shl (local.get $at) (i32.const 2)))))))
      (if (i32.eq (local.get $by) (i32.const 3)) (then (return (i32.add
        (i32.load (i32.shl (local.get $at) (i32.const 3)))
        (i32.load offset=16 (i32.shl (local.get $at) (i32.const 3)))))))
      ;; As much as 3.
      (if (i32.eq (local.get $by) (i32.const 35)) (then (return (i32.add
        (i32.load (i32.shl (local.get $at) (i32.const 35)))
        (i32.load offset=16 (i32.add (i32.const 8) (i32.shl (local.get $at) (i32.const 35))))))))
      (i32.load offset=0xffff0000 (local.get $at))))
  (core instance $i (instantiate $m))
  (func (export "read") (param "at" u32) (param "by" u32) (result u32) (canon lift (core func $i "read"))))
