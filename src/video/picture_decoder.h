// The stream's decoder: packets in, pictures out, and what is wrong with either.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "video/container.h"
#include "video/damage.h"

namespace imgmill {

/// On one thread pictures of a damaged stream are the same in each run, and each error is known to be of the
/// packet that was sent last. On several only a whole stream can be decoded: see `troubled`.
class PictureDecoder {
 public:
  explicit PictureDecoder(Container& container) : container_(container) {}

  /// False: `why` tells.
  bool Open(int64_t most_pixels, int threads, Error& why);

  /// Of several threads: an error was told of any packet or picture. What Next has come to since, and what
  /// this says of gaps and refused packets, is worth nothing: the stream is to be decoded on one thread.
  /// Pictures from before are right, since each comes only when all packets up to its own have been decoded,
  /// and told of their errors.
  bool troubled() const { return threads_ > 1 && (troubled_ || log_.errors > 0 || log_.concealed > 0); }

  /// To the next picture that the decoder gives, in the order in which they are shown. False behind the last
  /// one.
  bool Next();
  const AVFrame& picture() const { return *frame_; }
  /// The gap that it is in; null: it can be trusted.
  const Damage::Gap* gap() const;
  /// How many packets of which no picture came were to be shown before the present one, or, behind the last
  /// one, at all, and why. Each is told once; those before the first that stands for itself are not.
  int64_t TakeRefused(std::string& why);
  int64_t packets() const { return sent_; }
  /// Whether the file ends in damage: how many pictures there should be behind its beginning, nothing says.
  bool ends_damaged() const { return drained_ && damage_.open(); }

 private:
  /// Sends a packet, or says that there are no more. False: there was nothing to send.
  bool Feed();
  void Refused(int error);
  /// What was logged meanwhile is about the packet that was sent last.
  void NoteLogged();

  Container& container_;
  ErrorLog log_;
  Context context_;
  DecodedFrame frame_;
  Damage damage_;
  int threads_ = 1;
  bool troubled_ = false;
  int64_t sent_ = 0;
  bool drained_ = false;
  int errors_while_drained_ = 0;
  bool begun_ = false;            // a packet that stands for itself was sent
  std::vector<int64_t> refused_;  // when they were to be shown
  std::string refused_why_;
  int64_t sent_shown_ = 0;  // the packet that was sent last
  bool ended_ = false;
};

}  // namespace imgmill
