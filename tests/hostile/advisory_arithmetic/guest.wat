;; Computes what code generators have got wrong, from constants and from arguments; gives every lane.
(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 512) "\0a\0b\0c\0d\0e\0f\10\11\12\13\14\15\16\17\18\19")
    (data (i32.const 528) "\00\0f\10\ff\01\0e\80\7f\02\0d\1f\20\03\0c\00\0f")
    (global $at (mut i32) (i32.const 16))
    (func $put (param i32)
      (i32.store (global.get $at) (local.get 0))
      (global.set $at (i32.add (global.get $at) (i32.const 4))))
    (func $lanes (param v128)
      (v128.store (global.get $at) (local.get 0))
      (global.set $at (i32.add (global.get $at) (i32.const 16))))
    (func (export "compute") (param $x i32) (param $yes i32) (result i32)
      (local $a v128) (local $b v128)
      (local.set $a (v128.load (i32.const 512)))
      (local.set $b (v128.load (i32.const 528)))
      ;; Bytes picked by bytes, some of which point outside.
      (call $lanes (i8x16.swizzle (local.get $a) (local.get $b)))
      (call $lanes (i8x16.swizzle
        (v128.const i8x16 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25)
        (v128.const i8x16 0 15 16 255 1 14 128 127 2 13 31 32 3 12 0 15)))
      ;; One of two, by an argument.
      (call $lanes (select (local.get $a) (local.get $b) (local.get $yes)))
      (call $lanes (select (local.get $a) (local.get $b) (i32.eqz (local.get $yes))))
      ;; Bits of two that are one.
      (call $lanes (v128.bitselect (local.get $a) (local.get $a) (local.get $b)))
      ;; Shifts of 64 bits by constants, one of them wider than a lane.
      (call $lanes (i64x2.shr_s (v128.const i64x2 -8 0x4000000000000000) (i32.const 1)))
      (call $lanes (i64x2.shr_s (v128.const i64x2 -8 0x4000000000000000) (i32.const 65)))
      (call $lanes (i64x2.shr_s (i64x2.splat (i64.extend_i32_s (local.get $x))) (i32.const 3)))
      ;; Divisions by constants with and without a sign.
      (call $put (i32.div_s (local.get $x) (i32.const -7)))
      (call $put (i32.div_u (local.get $x) (i32.const -7)))
      (call $put (i32.rem_s (local.get $x) (i32.const -7)))
      (call $put (i32.wrap_i64 (i64.div_s (i64.extend_i32_s (local.get $x)) (i64.const -3))))
      (call $put (i32.wrap_i64 (i64.shr_u
        (i64.div_u (i64.extend_i32_s (local.get $x)) (i64.const 0xfffffff9)) (i64.const 1))))
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.shr_u (i32.sub (global.get $at) (i32.const 16)) (i32.const 2)))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "compute") (param "x" u32) (param "yes" u32) (result (list u32))
    (canon lift (core func $i "compute") (memory (core memory $i "memory")))))
