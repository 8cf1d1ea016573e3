// A note tells of an image that was read, a fact of its content of one that was not read again.
#include "cut_images.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "archive/archive_path.h"
#include "image/readable_part.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// Of a content: the note.
constexpr char kCutFact[] = "cut/1";

}  // namespace

CutImages::CutImages(const Operation& operation, Catalog& catalog)
    : catalog_(catalog), takes_broken_(operation.traits().takes_broken) {}

void CutImages::Add(const Outcome& outcome) {
  if (!takes_broken_ || outcome.state == Outcome::State::kFailed) return;
  const auto note = std::ranges::find_if(outcome.notes, IsPartNote);
  if (note != outcome.notes.end()) images_.Add({outcome.file.path, *note});
  if (note != outcome.notes.end() ? outcome.recalled : !outcome.recalled) return;
  const std::optional<KnownFile> known = catalog_.FindFile(CanonicalOrSame(outcome.file.path));
  if (!known) return;
  if (note != outcome.notes.end()) {
    // Lost only where the catalog cannot be written, which the run fails by.
    static_cast<void>(catalog_.PutFact(known->content, kCutFact, *note));
  } else if (const auto earlier = catalog_.FindFact(known->content, kCutFact)) {
    images_.Add({outcome.file.path, *earlier});
  }
}

JsonRows CutImages::Rows() const {
  return [images = images_](JsonElements& elements) {
    return images.ForEach([&](const Cut& image) {
      return elements.Put(nlohmann::ordered_json{{"path", PrintablePath(image.path)}, {"note", image.note}});
    });
  };
}

}  // namespace imgmill
