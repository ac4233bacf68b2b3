; What run.py asks of Festival. Answers are lines on standard output; sound is saved beside them.

(gc-status nil)

; The modules of an utterance of text, as synthesis.scm has them, in two halves.
(define analysis (list Token_POS Token POS Phrasify Word Pauses))
(define synthesis (list Intonation PostLex Duration Int_Targets Wave_Synth))

(define (apply_modules modules utt)
  (mapcar (lambda (module) (module utt)) modules))

(define (analyse text)
  (let ((utt (eval (list 'Utterance 'Text text))))
    (apply_modules (list Initialize Text) utt)
    (apply_modules analysis utt)
    (mapcar
     (lambda (word) (format t "word %s %s\n" (item.feat word 'pos) (item.name word)))
     (utt.relation.items utt 'Word))
    (mapcar
     (lambda (phrase)
       (format t "phrase %s" (car (car phrase)))
       (mapcar (lambda (word) (format t " %s" (car (car word)))) (cdr phrase))
       (format t "\n"))
     (utt.relation_tree utt 'Phrase))
    (format t "done\n")))

(define (say utt)
  "Synthesise an utterance, unless there is nothing in it to be said: then Festival breaks down."
  (apply_modules analysis utt)
  (if (utt.relation.items utt 'Syllable)
      (begin
       (apply_modules synthesis utt)
       (set! utterances (+ utterances 1))
       (utt.save.wave utt (format nil "/tmp/festival/%d.wav" utterances) 'riff)
       (format t "utterance %d\n" utterances)
       (mapcar
        (lambda (phone) (format t "phone %f %s\n" (item.feat phone 'end) (item.name phone)))
        (utt.relation.items utt 'Segment))
       (mapcar
        (lambda (word)
          (format t "word %f %f %s\n"
                  (item.feat word 'word_start) (item.feat word 'word_end) (item.name word)))
        (utt.relation.items utt 'Word)))))

(set! tts_hooks (list say))

(define (speak file)
  (set! utterances 0)
  (tts_file file nil)
  (format t "done\n"))
