"""SEAL through the Python package TenSEAL, by its interface tenseal.sealapi: one special prime, one thread.

Two sets for each ring: Q of the size of ours, and with --longest the longest chain that one special prime leaves. TenSEAL's own vectors
are not measured: a product of theirs also checks scales and copies operands, and their rotations are not to be had one by one.
"""

import importlib.metadata

import tenseal.sealapi as seal
from timing import SAME_MODULUS, SCALE_BITS, Report, arguments, check, values

END_BITS = 60
LONGEST = {14: 378, 15: 820, 16: 1620}
# The library's table of secure parameters ends here; beyond it checks nothing.
TABLE_ENDS = 15


def chain(q_bits):
    """Bits of the primes: a first of 60, then 40 each, the last at least 30, and the special one."""
    rest = q_bits - END_BITS
    count = -(-rest // SCALE_BITS)
    bits = [SCALE_BITS] * count
    bits[-1] -= count * SCALE_BITS - rest
    # A rescale by less than the scale would lose it: spread what is missing.
    short = SCALE_BITS - bits[-1]
    bits = [SCALE_BITS - short // count] * count
    bits[0] += rest - sum(bits)
    return [END_BITS, *bits, END_BITS]


def measure(report, name, log_n, q_bits):
    n, slots = 1 << log_n, 1 << (log_n - 1)
    bits = chain(q_bits)
    parameters = seal.EncryptionParameters(seal.SCHEME_TYPE.CKKS)
    parameters.set_poly_modulus_degree(n)
    parameters.set_coeff_modulus(seal.CoeffModulus.Create(n, bits))
    level = seal.SEC_LEVEL_TYPE.TC128 if log_n <= TABLE_ENDS else seal.SEC_LEVEL_TYPE.NONE
    context = seal.SEALContext(parameters, True, level)
    if not context.parameters_set():
        raise SystemExit(f"SEAL refuses {bits} at N = {n}: {context.parameters_error_message()}")
    report.set(name, log_n, q_bits, END_BITS, len(bits) - 1)
    scale = 2.0**SCALE_BITS
    a, b = values(slots, 1), values(slots, 2)

    def fresh_keys():
        generator = seal.KeyGenerator(context)
        public = seal.PublicKey()
        generator.create_public_key(public)
        return generator

    report.measure("generate a secret and a public key", fresh_keys)
    keygen = seal.KeyGenerator(context)
    public = seal.PublicKey()
    keygen.create_public_key(public)
    relinearization = seal.RelinKeys()
    keygen.create_relin_keys(relinearization)
    # By Galois element: a rotation by one step is X -> X^3.
    report.measure("key for one rotation", lambda keys: keygen.create_galois_keys([3], keys), prepare=seal.GaloisKeys)
    rotation = seal.GaloisKeys()
    keygen.create_galois_keys([3], rotation)

    encoder = seal.CKKSEncoder(context)
    encryptor = seal.Encryptor(context, public)
    decryptor = seal.Decryptor(context, keygen.secret_key())
    evaluator = seal.Evaluator(context)
    plain, x, y = seal.Plaintext(), seal.Ciphertext(), seal.Ciphertext()
    encoder.encode(b, scale, plain)
    encryptor.encrypt(plain, y)
    encoder.encode(a, scale, plain)
    encryptor.encrypt(plain, x)
    report.measure("encode", lambda: encoder.encode(a, scale, plain))
    out = seal.Ciphertext()
    report.measure("encrypt with the public key, encoded", lambda: encryptor.encrypt(plain, out))
    decrypted = seal.Plaintext()

    def decrypt_and_decode(ciphertext=x):
        decryptor.decrypt(ciphertext, decrypted)
        return encoder.decode_double(decrypted)

    report.measure("decrypt and decode", decrypt_and_decode)

    def rotate():
        evaluator.rotate_vector(x, 1, rotation, out)

    report.measure("rotate", rotate)
    rotate()
    check("rotate", decrypt_and_decode(out), a[1:] + a[:1])

    def multiply():
        product = seal.Ciphertext()
        evaluator.multiply(x, y, product)
        evaluator.relinearize_inplace(product, relinearization)
        evaluator.rescale_to_next_inplace(product)
        return product

    report.measure("multiply, relinearize, rescale", multiply)
    check("multiply", decrypt_and_decode(multiply()), [u * v for u, v in zip(a, b)])


def main():
    given = arguments(__doc__)
    build = f"Python package tenseal {importlib.metadata.version('tenseal')}: SEAL without HEXL"
    report = Report("SEAL", build, given.seconds)
    for log_n in given.log_n:
        measure(report, "same modulus", log_n, SAME_MODULUS[log_n])
        if given.longest:
            measure(report, "longest chain", log_n, LONGEST[log_n])
    report.print()


main()
