// Kinds as a catalog has them, and those that it lacks.
#include "vector_kinds.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "commands/model_loading.h"
#include "embedder.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/vector_file.h"
#include "imgmill/signals/image_descriptor.h"

namespace imgmill {
namespace {

constexpr char kModelNote[] = "model-note/1";
constexpr char kImported[] = "imported/";
constexpr size_t kDigits = 32, kShownDigits = 8;

/// Of the model, as hexadecimal digits; empty where no model's bytes are part of the kind.
std::string DigestIn(const std::string& kind) {
  const size_t space = kind.find(' ');
  if (kind.starts_with(kImported) || space == std::string::npos || kind.size() < space + 1 + kDigits)
    return {};
  return kind.substr(space + 1, kDigits);
}

/// "weights/1 01234567 ..." (clip.safetensors, 512 numbers each)
std::string DescribedKind(Catalog& catalog, const std::string& kind, int dimension) {
  std::string name;
  if (const std::optional<ContentDigest> model = ContentDigest::FromHex(DigestIn(kind))) {
    const std::string note = catalog.FindFact(*model, kModelNote).value_or("");
    const size_t space = note.find(' ');
    if (space != std::string::npos) name = note.substr(space + 1);
    if (dimension == 0) dimension = std::atoi(note.c_str());
  }
  std::string more = PrintablePath(name);
  if (dimension > 0) more += (more.empty() ? "" : ", ") + std::to_string(dimension) + " numbers each";
  return "\"" + PrintablePath(KindText(kind)) + "\"" + (more.empty() ? "" : " (" + more + ")");
}

}  // namespace

std::string KindText(const std::string& kind) {
  if (DigestIn(kind).empty()) return kind;
  const size_t digest = kind.find(' ') + 1;
  return kind.substr(0, digest + kShownDigits) + kind.substr(digest + kDigits);
}

Status NoteModel(Catalog& catalog, const ContentDigest& model, const std::string& path, int dimension) {
  const std::string note = std::to_string(dimension) + " " + std::string(NameOf(path));
  if (catalog.FindFact(model, kModelNote) == note) return {};
  return catalog.PutFact(model, kModelNote, note);
}

Error NoVectors(Catalog& catalog, const std::string& kind, int dimension, const std::string& folder) {
  const std::string where = PrintablePath(catalog.folder());
  std::string text =
      folder.empty() ? "the catalog " + where : PrintablePath(folder) + " (its catalog is " + where + ")";
  text += " has no vectors of the kind " + DescribedKind(catalog, kind, dimension);
  const std::vector<std::pair<std::string, int>> kinds = VectorFile::KindsIn(catalog.folder());
  constexpr size_t kMostNamed = 3;
  for (size_t i = 0; i < std::min(kinds.size(), kMostNamed); ++i)
    text += (i == 0 ? ", but of " : " and of ") + DescribedKind(catalog, kinds[i].first, kinds[i].second);
  if (kinds.size() > kMostNamed)
    text += " and of " + std::to_string(kinds.size() - kMostNamed) +
            " more kinds (imgmill catalog info --catalog " + where + " lists them)";
  const char* const advice =
      kind.starts_with(kImported)
          ? ": run imgmill embed --import on the same folder first, with the same --model-name"
          : ": run imgmill embed on the same folder first, with the same --model options";
  return UsageError(text + advice);
}

std::string MakerOf(const EmbeddingOptions& embedding) {
  if (embedding.model.empty())
    return embedding.model_name.empty() ? std::string() : "name " + embedding.model_name;
  return "model " + CanonicalOrEntry(embedding.model);
}

Status HasVectors(const EmbeddingOptions& embedding, const CommandServices& services,
                  const StepsBefore& before) {
  if (before.MakeVectors(MakerOf(embedding))) return {};
  const std::string& catalog = services.catalog->folder();
  const std::string kind = embedding.model.empty() && embedding.model_name.empty()
                               ? std::string(ImageDescriptor::kName)
                               : ImportedKind(embedding.model_name);
  std::string digest;  // of a model: a part of its kinds
  if (!embedding.model.empty()) {
    const ContentDigest content = TRY(DigestOfModel(embedding.model));
    digest = content.Hex();
  }
  if (!catalog.empty()) {
    for (const auto& [known, dimension] : VectorFile::KindsIn(catalog)) {
      if (digest.empty() ? known == kind : known.find(digest) != std::string::npos) return {};
    }
  }
  const char* const advice = !embedding.model_name.empty()
                                 ? "put an embed step before it that imports them, with the same model-name"
                                 : "put an embed step before it, with the same model options";
  return UsageError(
      "the pipeline's catalog has none of the vectors that it needs, and no step before it makes "
      "them: " +
      std::string(advice));
}

}  // namespace imgmill
