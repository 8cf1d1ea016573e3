// First the tower, which says how large a vocabulary it has; then the tokens of all texts, and one vector
// after the other.
#include "text_queries.h"

#include "base/try.h"
#include "base/usage_error.h"
#include "commands/model_loading.h"
#include "imgmill/base/path_text.h"
#include "imgmill/infer/library_pages.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/text/clip_tokenizer.h"

namespace imgmill {
namespace {

std::string Quoted(const std::string& text) {
  return "\"" + PrintablePath(text) + "\"";
}

Result<std::vector<ClipTokens>> TokensOf(const MatchOptions& options, const CommandServices& services,
                                         const TextModel& model) {
  const Lease lease = TRY(services.memory->Acquire({0, ClipTokenizer::kBytes}, *services.stop));
  const ClipTokenizer tokenizer = TRY(ClipTokenizer::Read(options.vocabulary, model.vocabulary()));
  std::vector<ClipTokens> tokens;
  for (const std::string& text : options.texts) {
    ClipTokens& of_text = tokens.emplace_back(TRY(tokenizer.Encode(text, model.context())));
    if (of_text.ids.size() == 2) {
      return UsageError("--text " + Quoted(text) + " says nothing to look for");
    }
    if (!of_text.cut) continue;
    services.log(LogLevel::kWarning, "the text " + Quoted(text) + " is longer than the " +
                                         std::to_string(model.context()) +
                                         " tokens that the model sees: its end is left out");
  }
  return tokens;
}

/// The vectors of all texts. What is finished stays, whatever the ladder has to do.
class TextWork final : public LadderWork {
 public:
  TextWork(TextModel& model, const MatchOptions& options, const CommandServices& services,
           const std::vector<ClipTokens>& tokens, VectorFile& kept, MatchQueryTable& queries)
      : model_(model),
        options_(options),
        services_(services),
        tokens_(tokens),
        kept_(kept),
        queries_(queries) {}

  bool has_cpu_rung() const override { return false; }

  Status Run(const Attempt&) override {
    const auto length = static_cast<size_t>(model_.info().dimension);
    Footprint need = model_.Cost();
    need.pooled += length * sizeof(float);
    const Lease lease = TRY(services_.memory->Acquire(need, *services_.stop));
    PoolArray<float> vector(length);
    for (; done_ < tokens_.size(); ++done_) {
      TRY(model_.Embed(tokens_[done_].ids, vector.span()));
      if (!Normalise(vector.span())) {
        return Error{Stage::kCompute, Code::kModelError,
                     "the model returns a vector without a finite length for the text " +
                         Quoted(options_.texts[done_])};
      }
      const VectorFile::Place place = TRY(kept_.Append(vector.span()));
      queries_.Add({options_.texts[done_], {}, place, &kept_});
    }
    return {};
  }

 private:
  TextModel& model_;
  const MatchOptions& options_;
  const CommandServices& services_;
  const std::vector<ClipTokens>& tokens_;
  VectorFile& kept_;
  MatchQueryTable& queries_;
  size_t done_ = 0;
};

Status EmbedTexts(TextModel& model, const MatchOptions& options, const CommandServices& services,
                  VectorFile& kept, MatchQueryTable& queries) {
  if (model.info().dimension != kept.dimension()) {
    return UsageError(PrintablePath(options.embedding.model) + " makes vectors of " +
                      std::to_string(model.info().dimension) + " numbers of texts, and of " +
                      std::to_string(kept.dimension()) + " of images: they cannot be compared");
  }
  std::string with = model.info().architecture;
  if (!model.info().assumed.empty()) with += ", " + model.info().assumed + " assumed";
  services.log(LogLevel::kInfo, with);
  services.memory->Rebaseline();  // weights and LibTorch are in memory now: nobody's lease
  const std::vector<ClipTokens> tokens = TRY(TokensOf(options, services, model));
  TextWork work(model, options, services, tokens, kept, queries);
  return services.memory->Guarded(work, kHostWork, *services.stop).status;
}

}  // namespace

Status AddTextQueries(const MatchOptions& options, const CommandServices& services, VectorFile& kept,
                      MatchQueryTable& queries) {
  const std::string& path = options.embedding.model;
  ModelRuntime* runtime = TRY(services.OpenModels());
  std::shared_ptr<TextModel> model = TRY(LoadGuarded<TextModel>(services, path, [&] {
    return runtime->LoadTextTower(path, {.activation = options.embedding.activation});
  }));
  const Status embedded = EmbedTexts(*model, options, services, kept, queries);
  model.reset();
  services.memory->ClearAll();
  ReleaseLibraryPages();
  services.memory->Rebaseline();
  return embedded;
}

}  // namespace imgmill
