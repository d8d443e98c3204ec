;; Computes with the last number of its memory: what reads 16 bytes where 8 are meant leaves the memory.
(component
  (core module $m
    (memory 1 1)
    ;; The last eight bytes are -1.5, and the last four of them -1.9375 as a number of 32 bits.
    (data (i32.const 65528) "\00\00\00\00\00\00\f8\bf")
    (func (export "compute") (param $at i32) (result f64)
      (local $sum f64)
      (local.set $sum (f64.copysign (f64.const 3) (f64.load (local.get $at))))
      (local.set $sum (f64.add (local.get $sum)
        (f64.mul (f64.const 10) (f64.copysign (f64.load (local.get $at)) (f64.const 2)))))
      (local.set $sum (f64.add (local.get $sum)
        (f64.mul (f64.const 100) (f64x2.extract_lane 1 (f64x2.splat (f64.load (local.get $at)))))))
      (local.set $sum (f64.add (local.get $sum)
        (f64.mul (f64.const 1000) (f64.promote_f32
          (f32.copysign (f32.const 3) (f32.load offset=4 (local.get $at)))))))
      (f64.add (local.get $sum)
        (f64.mul (f64.const 10000) (f64.promote_f32
          (f32x4.extract_lane 3 (f32x4.splat (f32.load offset=4 (local.get $at)))))))))
  (core instance $i (instantiate $m))
  (func (export "compute") (param "at" u32) (result f64) (canon lift (core func $i "compute"))))
