"""The same with the usual Python libraries. Does its task once for every line on its input, and prints the seconds that it took itself."""
import json
import re
import sys
import time

task, path, *options = sys.argv[1:]
with open(path, encoding="utf-8") as lines:
    texts = [json.loads(line)["title"] for line in lines]

if task == "lsa":
    import numpy
    import sklearn
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    dim = int(options[0])
    version = f"scikit-learn {sklearn.__version__}, NumPy {numpy.__version__}"

    def run():
        words = TfidfVectorizer(
            stop_words="english", min_df=2, max_df=0.5, max_features=100_000, sublinear_tf=True
        ).fit_transform(texts)
        svd = TruncatedSVD(dim, n_iter=3, n_oversamples=16, random_state=42)
        return words, normalize(svd.fit_transform(words))

    def quality(made):
        """How many of the ten nearest by words are among the ten nearest by vectors, over 1,000 documents."""
        words, vectors = made
        some = numpy.random.default_rng(42).choice(len(texts), 1_000, replace=False)

        def nearest(likeness):
            likeness[numpy.arange(1_000), some] = -1
            return numpy.argpartition(-likeness, 10)[:, :10]

        true = nearest((words[some] @ words.T).toarray())
        found = nearest(vectors[some] @ vectors.T)
        return sum(len(set(a) & set(b)) for a, b in zip(true, found)) / 10_000

else:
    import numpy

    words_path, vectors_path, dim = options[0], options[1], int(options[2])
    version = f"NumPy {numpy.__version__}"
    pattern = re.compile(r"[^\W_]+")

    def run():
        with open(words_path, encoding="utf-8") as lines:
            ordinals = {word.rstrip("\n"): at for at, word in enumerate(lines)}
        vectors = numpy.fromfile(vectors_path, dtype=numpy.float32).reshape(-1, dim)
        means = numpy.zeros((len(texts), dim), dtype=numpy.float32)
        for row, text in enumerate(texts):
            known = [ordinals[word] for word in pattern.findall(text.lower()) if word in ordinals]
            if known:
                means[row] = vectors[known].mean(axis=0)
        return means

    def quality(made):
        return int(made.any(axis=1).sum())


print(json.dumps({"version": version}), flush=True)
for line in sys.stdin:
    began, cpu = time.perf_counter(), time.process_time()
    made = run()
    cost = {"seconds": time.perf_counter() - began, "cpuSeconds": time.process_time() - cpu}
    print(json.dumps({**cost, **({"quality": quality(made)} if line.strip() == "quality" else {})}), flush=True)
