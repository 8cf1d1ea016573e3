// Kinds as a catalog has them, and those that it lacks.
#include "vector_kinds.h"

#include <algorithm>
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

std::string KindText(const std::string& kind) {
  constexpr size_t kDigits = 32, kShown = 8;
  const size_t space = kind.find(' ');
  const bool is_name = kind.starts_with("imported/");
  if (is_name || space == std::string::npos || kind.size() < space + 1 + kDigits) return kind;
  return kind.substr(0, space + 1 + kShown) + kind.substr(space + 1 + kDigits);
}

Error NoVectors(const std::string& catalog, const std::string& kind) {
  std::string text = "the catalog " + PrintablePath(catalog) + " has no vectors of the kind \"" +
                     PrintablePath(KindText(kind)) + "\"";
  const std::vector<std::pair<std::string, int>> kinds = VectorFile::KindsIn(catalog);
  constexpr size_t kMostNamed = 3;
  for (size_t i = 0; i < std::min(kinds.size(), kMostNamed); ++i)
    text += std::string(i == 0 ? ", but of \"" : " and of \"") + PrintablePath(KindText(kinds[i].first)) +
            "\" (" + std::to_string(kinds[i].second) + " numbers each)";
  if (kinds.size() > kMostNamed)
    text += " and of " + std::to_string(kinds.size() - kMostNamed) +
            " more kinds (imgmill catalog info --catalog " + PrintablePath(catalog) + " lists them)";
  const char* const advice =
      kind.starts_with("imported/")
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
