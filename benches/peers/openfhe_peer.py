"""OpenFHE through its Python package: hybrid key switching, manual rescaling, 128-bit security, one thread.

Sets have the modulus Q of ours: a first prime of 60 bits and primes of 40 bits, three digits.
"""

import os

# Before the library starts its threads.
os.environ["OMP_NUM_THREADS"] = "1"

import importlib.metadata  # noqa: E402

import openfhe as fhe  # noqa: E402
from timing import SAME_MODULUS, SCALE_BITS, Report, arguments, check, values  # noqa: E402

FIRST_BITS = 60
ROTATIONS = range(1, 9)


def context(log_n, depth):
    parameters = fhe.CCParamsCKKSRNS()
    parameters.SetMultiplicativeDepth(depth)
    parameters.SetScalingModSize(SCALE_BITS)
    parameters.SetFirstModSize(FIRST_BITS)
    parameters.SetRingDim(1 << log_n)
    parameters.SetBatchSize(1 << (log_n - 1))
    parameters.SetSecurityLevel(fhe.SecurityLevel.HEStd_128_classic)
    parameters.SetSecretKeyDist(fhe.SecretKeyDist.UNIFORM_TERNARY)
    parameters.SetKeySwitchTechnique(fhe.KeySwitchTechnique.HYBRID)
    parameters.SetScalingTechnique(fhe.ScalingTechnique.FIXEDMANUAL)
    made = fhe.GenCryptoContext(parameters)
    for feature in ("PKE", "KEYSWITCH", "LEVELEDSHE"):
        made.Enable(getattr(fhe.PKESchemeFeature, feature))
    return made


def measure(report, log_n):
    q_bits = SAME_MODULUS[log_n]
    depth = (q_bits - FIRST_BITS) // SCALE_BITS
    cc = context(log_n, depth)
    report.set("same modulus", log_n, q_bits, None, depth + 1)
    slots = 1 << (log_n - 1)
    a, b = values(slots, 1), values(slots, 2)

    keys = cc.KeyGen()
    report.measure("generate a secret and a public key", cc.KeyGen)
    cc.EvalMultKeyGen(keys.secretKey)
    cc.EvalRotateKeyGen(keys.secretKey, list(ROTATIONS))
    # Keys that are there are not made again, so each run asks for another one.
    fresh = iter(range(100, slots))
    report.measure(
        "key for one rotation",
        lambda steps: cc.EvalRotateKeyGen(keys.secretKey, steps),
        prepare=lambda: [next(fresh)],
        most=12,
    )

    plain = cc.MakeCKKSPackedPlaintext(a)
    x = cc.Encrypt(keys.publicKey, plain)
    y = cc.Encrypt(keys.publicKey, cc.MakeCKKSPackedPlaintext(b))
    report.measure("encode", lambda: cc.MakeCKKSPackedPlaintext(a))
    report.measure("encrypt with the public key, encoded", lambda: cc.Encrypt(keys.publicKey, plain))
    report.measure("decrypt and decode", lambda: cc.Decrypt(keys.secretKey, x))
    report.measure("rotate", lambda: cc.EvalRotate(x, 1))
    report.measure("multiply, relinearize, rescale", lambda: cc.Rescale(cc.EvalMult(x, y)))

    order = 2 << log_n

    def hoisted():
        digits = cc.EvalFastRotationPrecompute(x)
        return [cc.EvalFastRotation(x, k, order, digits) for k in ROTATIONS]

    report.measure("8 rotations, hoisted", hoisted)

    def decrypted(ciphertext):
        result = cc.Decrypt(keys.secretKey, ciphertext)
        result.SetLength(slots)
        return result.GetRealPackedValue()

    check("encrypt", decrypted(x), a)
    check("rotate", decrypted(cc.EvalRotate(x, 1)), a[1:] + a[:1])
    check("hoisted", decrypted(hoisted()[7]), a[8:] + a[:8])
    product = cc.Rescale(cc.EvalMult(x, y))
    check("multiply", decrypted(product), [u * v for u, v in zip(a, b)])
    cc.ClearEvalAutomorphismKeys()


def main():
    given = arguments(__doc__)
    build = f"Python package openfhe {importlib.metadata.version('openfhe')}: OpenMP with one thread, no HEXL"
    report = Report("OpenFHE", build, given.seconds)
    for log_n in given.log_n:
        measure(report, log_n)
        fhe.ReleaseAllContexts()
    report.print()


main()
