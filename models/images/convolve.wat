;; Weighted sums of bytes, as Pillow's Resample.c makes them: 32-bit weights with 22 bits after the point, a half (0x200000)
;; added, shifted down and clipped to a byte. Whole numbers only, so no order of adding changes a bit. 16-bit products
;; would be faster and lose some: weights have up to 23 bits. It knows no picture: convolve.ts lays out the memory and sees
;; to it that all that is read or written lies within.
;;
;; `npm run wasm` makes convolve.wasm of it, and convolve.test.ts holds the two together.
;;
;; A table has one record a place of the output, each $record bytes: i32 where its source begins (from the begin of a
;; line), i32 how many bytes of weights follow, and the weights, filled up with zeros to what one step takes: 2 in RGB
;; rows, 4 in gray rows, 1 in columns. Every loop runs at least once.
(module
  ;; In pages of 64 KiB. 1 MiB is enough for most photos; only strips need more than a few, up to 256.
  (memory (export "memory") 16 4096)

  ;; $lines lines of interleaved RGB to lines of $places pixels. Two source pixels a step, a channel a lane: the fourth lane
  ;; adds up the neighbour's red, and its byte is overwritten by the next pixel, or lies in the line's padding.
  (func (export "convolveRgbRows")
    (param $source i32) (param $sourceLine i32) (param $target i32) (param $targetLine i32) (param $lines i32)
    (param $table i32) (param $record i32) (param $places i32)
    (local $place i32) (local $tableEnd i32) (local $to i32)
    (local $from i32) (local $weight i32) (local $end i32) (local $pixels v128) (local $sum v128)
    (local.set $tableEnd (i32.add (local.get $table) (i32.mul (local.get $record) (local.get $places))))
    (loop $line
      (local.set $place (local.get $table))
      (local.set $to (local.get $target))
      (loop $column
        (local.set $from (i32.add (local.get $source) (i32.load (local.get $place))))
        (local.set $weight (i32.add (local.get $place) (i32.const 8)))
        (local.set $end (i32.add (local.get $weight) (i32.load offset=4 (local.get $place))))
        (local.set $sum (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (loop $taps
          (local.set $pixels (v128.load64_zero (local.get $from)))
          (local.set $sum
            (i32x4.add
              (i32x4.add
                (local.get $sum)
                (i32x4.mul
                  (v128.load32_splat (local.get $weight))
                  (i8x16.swizzle (local.get $pixels)
                    (v128.const i8x16 0 -1 -1 -1 1 -1 -1 -1 2 -1 -1 -1 3 -1 -1 -1))))
              (i32x4.mul
                (v128.load32_splat offset=4 (local.get $weight))
                (i8x16.swizzle (local.get $pixels)
                  (v128.const i8x16 3 -1 -1 -1 4 -1 -1 -1 5 -1 -1 -1 6 -1 -1 -1)))))
          (local.set $from (i32.add (local.get $from) (i32.const 6)))
          (local.set $weight (i32.add (local.get $weight) (i32.const 8)))
          (br_if $taps (i32.lt_u (local.get $weight) (local.get $end))))
        (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 22)))
        (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
        (v128.store32_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
        (local.set $to (i32.add (local.get $to) (i32.const 3)))
        (local.set $place (i32.add (local.get $place) (local.get $record)))
        (br_if $column (i32.lt_u (local.get $place) (local.get $tableEnd))))
      (local.set $source (i32.add (local.get $source) (local.get $sourceLine)))
      (local.set $target (i32.add (local.get $target) (local.get $targetLine)))
      (local.set $lines (i32.sub (local.get $lines) (i32.const 1)))
      (br_if $line (local.get $lines))))

  ;; The same of one channel: four source pixels a step, a lane each, added up at the end.
  (func (export "convolveGrayRows")
    (param $source i32) (param $sourceLine i32) (param $target i32) (param $targetLine i32) (param $lines i32)
    (param $table i32) (param $record i32) (param $places i32)
    (local $place i32) (local $tableEnd i32) (local $to i32)
    (local $from i32) (local $weight i32) (local $end i32) (local $sum v128)
    (local.set $tableEnd (i32.add (local.get $table) (i32.mul (local.get $record) (local.get $places))))
    (loop $line
      (local.set $place (local.get $table))
      (local.set $to (local.get $target))
      (loop $column
        (local.set $from (i32.add (local.get $source) (i32.load (local.get $place))))
        (local.set $weight (i32.add (local.get $place) (i32.const 8)))
        (local.set $end (i32.add (local.get $weight) (i32.load offset=4 (local.get $place))))
        (local.set $sum (v128.const i32x4 0x200000 0 0 0))
        (loop $taps
          (local.set $sum
            (i32x4.add
              (local.get $sum)
              (i32x4.mul
                (v128.load (local.get $weight))
                (i8x16.swizzle (v128.load32_zero (local.get $from))
                  (v128.const i8x16 0 -1 -1 -1 1 -1 -1 -1 2 -1 -1 -1 3 -1 -1 -1)))))
          (local.set $from (i32.add (local.get $from) (i32.const 4)))
          (local.set $weight (i32.add (local.get $weight) (i32.const 16)))
          (br_if $taps (i32.lt_u (local.get $weight) (local.get $end))))
        (local.set $sum
          (i32x4.add (local.get $sum) (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $sum) (local.get $sum))))
        (local.set $sum
          (i32x4.add (local.get $sum) (i8x16.shuffle 4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7 (local.get $sum) (local.get $sum))))
        (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 22)))
        (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
        (v128.store8_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $place (i32.add (local.get $place) (local.get $record)))
        (br_if $column (i32.lt_u (local.get $place) (local.get $tableEnd))))
      (local.set $source (i32.add (local.get $source) (local.get $sourceLine)))
      (local.set $target (i32.add (local.get $target) (local.get $targetLine)))
      (local.set $lines (i32.sub (local.get $lines) (i32.const 1)))
      (br_if $line (local.get $lines))))

  ;; Lines to one line of $bytes bytes, whatever their channels: 16 bytes a step, of one line after the other. $place is
  ;; the record of that line; $source its first source line.
  (func (export "convolveColumns")
    (param $source i32) (param $line i32) (param $target i32) (param $bytes i32) (param $place i32)
    (local $targetEnd i32) (local $from i32) (local $weight i32) (local $end i32) (local $factor v128) (local $bytes16 v128)
    (local $low v128) (local $high v128) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $targetEnd (i32.add (local.get $target) (local.get $bytes)))
    (local.set $end
      (i32.add (i32.add (local.get $place) (i32.const 8)) (i32.load offset=4 (local.get $place))))
    (loop $step
      (local.set $from (local.get $source))
      (local.set $weight (i32.add (local.get $place) (i32.const 8)))
      (local.set $a (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
      (local.set $b (local.get $a))
      (local.set $c (local.get $a))
      (local.set $d (local.get $a))
      (loop $taps
        (local.set $bytes16 (v128.load (local.get $from)))
        (local.set $factor (v128.load32_splat (local.get $weight)))
        (local.set $low (i16x8.extend_low_i8x16_u (local.get $bytes16)))
        (local.set $high (i16x8.extend_high_i8x16_u (local.get $bytes16)))
        (local.set $a (i32x4.add (local.get $a) (i32x4.mul (local.get $factor) (i32x4.extend_low_i16x8_u (local.get $low)))))
        (local.set $b (i32x4.add (local.get $b) (i32x4.mul (local.get $factor) (i32x4.extend_high_i16x8_u (local.get $low)))))
        (local.set $c (i32x4.add (local.get $c) (i32x4.mul (local.get $factor) (i32x4.extend_low_i16x8_u (local.get $high)))))
        (local.set $d (i32x4.add (local.get $d) (i32x4.mul (local.get $factor) (i32x4.extend_high_i16x8_u (local.get $high)))))
        (local.set $from (i32.add (local.get $from) (local.get $line)))
        (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
        (br_if $taps (i32.lt_u (local.get $weight) (local.get $end))))
      (v128.store (local.get $target)
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22)))))
      (local.set $source (i32.add (local.get $source) (i32.const 16)))
      (local.set $target (i32.add (local.get $target) (i32.const 16)))
      (br_if $step (i32.lt_u (local.get $target) (local.get $targetEnd))))))
